package moves

import (
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// List is what persons did to a checkpoint by hand.
type List []checkpoint.Move

// Reached is up to where all had been handed over before the checkpoint was moved back; zero = it was not.
func (l List) Reached() (at time.Time) {
	for _, move := range l {
		if move.Kind == checkpoint.Rewound {
			at = later(at, move.From)
		}
	}
	return at
}

// Untold are those that were not said yet.
func (l List) Untold() (moves List) {
	for _, move := range l {
		if !move.Told {
			moves = append(moves, move)
		}
	}
	return moves
}

// Told are all of them, said.
func (l List) Told() List {
	moves := slices.Clone(l)
	for i := range moves {
		moves[i].Told = true
	}
	return moves
}

// Since are those that still matter when everything up to through is safe.
func (l List) Since(through time.Time) List {
	return slices.DeleteFunc(slices.Clone(l), func(move checkpoint.Move) bool {
		if move.Kind == checkpoint.Forwarded {
			return move.Told && move.To.Before(through.Add(-source.Retention-time.Hour))
		}
		return move.Told && !through.Before(move.From)
	})
}

// LeftOut reports whether something that happened from start on and before end was left out by hand. If so, it returns
// the move that says why.
func (l List) LeftOut(start, end time.Time) (why checkpoint.Move, ok bool) {
	for _, move := range l {
		if move.Kind == checkpoint.Forwarded && start.Before(move.To) && move.From.Before(end) {
			return move, true
		}
	}
	return why, false
}

// Behind is the first whole minute from at on that was not left out.
func (l List) Behind(at time.Time) time.Time {
	for {
		why, ok := l.LeftOut(at, at.Add(time.Minute))
		if !ok {
			return at
		}
		at = later(why.To.Add(time.Minute-1).Truncate(time.Minute), at.Add(time.Minute))
	}
}

// Until is the end of what begins at start, whose minute was not left out, and ends at end, without what was left out.
func (l List) Until(start, end time.Time) time.Time {
	for _, move := range l {
		if from := move.From.Truncate(time.Minute); move.Kind == checkpoint.Forwarded && from.After(start) {
			end = earlier(end, from)
		}
	}
	return end
}
