package dedup

import "maps"

const (
	mostTold  = 3     // missing events that sums can tell
	mostPairs = 20000 // events among which pairs are looked for
	mostTrios = 1000  // events among which threes are
)

// Tellable reports whether so many events may be told by what they add to a sum.
func (d Digest) Tellable() bool { return d.Count > 0 && d.Count <= mostTold }

// Missing tells which of a span's events are those by which it has more than was handed over: the difference of the
// sums is the sum of theirs. sums is what each event adds, lacking the difference. It cannot tell more than three, and
// ok is false then; nor where events are gone that were handed over. A wrong answer would take a collision of 64 bits.
func Missing(sums []uint64, lacking Digest) (missing map[uint64]bool, ok bool) {
	if !lacking.Tellable() || int(lacking.Count) > len(sums) {
		return nil, false
	}
	if int(lacking.Count) == len(sums) {
		return setOf(sums...), true
	}
	left := make(map[uint64]int, len(sums))
	for _, sum := range sums {
		left[sum]++
	}
	switch lacking.Count {
	case 1:
		return setOf(lacking.sum), left[lacking.sum] > 0
	case 2:
		if len(sums) > mostPairs {
			return nil, false
		}
		return pair(left, lacking.sum)
	}
	if len(sums) > mostTrios {
		return nil, false
	}
	for a := range maps.Keys(maps.Clone(left)) {
		left[a]--
		if missing, ok = pair(left, lacking.sum-a); ok {
			missing[a] = true
			return missing, true
		}
		left[a]++
	}
	return nil, false
}

// pair finds two events that add up to sum.
func pair(left map[uint64]int, sum uint64) (map[uint64]bool, bool) {
	for a, n := range left {
		b := sum - a
		if n > 0 && (a != b && left[b] > 0 || n > 1 && a == b) {
			return setOf(a, b), true
		}
	}
	return nil, false
}

func setOf(sums ...uint64) map[uint64]bool {
	set := make(map[uint64]bool, len(sums))
	for _, sum := range sums {
		set[sum] = true
	}
	return set
}
