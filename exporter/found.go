package exporter

import "github.com/wherobots/in_wherobots_audit/exporter/dedup"

// found is what reconciliation handed over that had been missing, as changes of digests: of minutes, of the minutes
// that hours count, and of hours whose minutes are not known any more.
type found struct {
	minutes, ids, hours map[int64]dedup.Digest
}

func newFound() found {
	return found{
		minutes: make(map[int64]dedup.Digest), ids: make(map[int64]dedup.Digest), hours: make(map[int64]dedup.Digest),
	}
}

// join is f and what was found after it.
func (f found) join(later found) found {
	all := newFound()
	for _, part := range []found{f, later} {
		plus(all.minutes, part.minutes)
		plus(all.ids, part.ids)
		plus(all.hours, part.hours)
	}
	return all
}

func plus(sums, changes map[int64]dedup.Digest) {
	for at, d := range changes {
		sums[at] = sums[at].Plus(d)
	}
}
