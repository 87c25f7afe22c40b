package figures

import (
	"sort"
	"sync/atomic"
	"time"
)

// Bounds returns the upper ends of the histogram's buckets, in seconds. What is later than the last is counted all the
// same.
func Bounds() []float64 { return bounds[:] }

var bounds = [...]float64{0, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 86400}

// Histogram is a distribution: how many values are at most as large as each of Bounds, and the last for all.
type Histogram struct {
	AtMost [len(bounds) + 1]uint64
	Sum    float64 // of all values
}

// Count is the number of values.
func (h Histogram) Count() uint64 { return h.AtMost[len(bounds)] }

// Observations collects values. It may be used by several goroutines; its zero value is ready.
type Observations struct {
	buckets [len(bounds) + 1]atomic.Uint64 // each for itself
	sum     atomic.Int64                   // nanoseconds
}

// Add notes n values of d.
func (o *Observations) Add(n int, d time.Duration) {
	if d <= 0 { // nearly all
		o.buckets[0].Add(uint64(n))
		return
	}
	o.buckets[sort.SearchFloat64s(bounds[:], d.Seconds())].Add(uint64(n))
	o.sum.Add(int64(n) * int64(d))
}

// Histogram returns what was noted so far.
func (o *Observations) Histogram() Histogram {
	h := Histogram{Sum: time.Duration(o.sum.Load()).Seconds()}
	all := uint64(0)
	for i := range o.buckets {
		all += o.buckets[i].Load()
		h.AtMost[i] = all
	}
	return h
}
