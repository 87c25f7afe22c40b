// Package sums tells which of some batches are complete by how many records are left of all of them.
package sums

import "slices"

// Most is how many batches are looked at: there are two sets for each of the first, four for the second, and so on.
const Most = 12

// Done returns how many of the first batches, of so many records each, are certain not to be among those that have left
// records together. Each batch is left as a whole, or not at all. ok is false when no set of batches has that many
// records, or there are more than Most: then nothing is certain.
func Done(records []int64, left int64) (n int, ok bool) {
	if len(records) > Most || !isSumOf(records, left) {
		return 0, false
	}
	for n := range records {
		others := slices.Concat(records[:n], records[n+1:])
		if records[n] > 0 && isSumOf(others, left-records[n]) {
			return n, true
		}
	}
	return len(records), true
}

// isSumOf reports whether some of the numbers add up to want; none of them add up to 0.
func isSumOf(numbers []int64, want int64) bool {
	switch {
	case want == 0:
		return true
	case want < 0 || len(numbers) == 0:
		return false
	}
	return isSumOf(numbers[1:], want) || isSumOf(numbers[1:], want-numbers[0])
}
