//go:build !amd64

package dedup

import "sync/atomic"

// prefetch reads the first n places: no read waits for another, so that all take about as long as one.
func prefetch(places *[Group]*uint32, n int) {
	var all uint32
	for _, place := range places[:n] {
		all ^= *place
	}
	prefetched.Store(all)
}

// prefetched is what was read, so that reading is not left out.
var prefetched atomic.Uint32
