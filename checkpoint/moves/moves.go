// Package moves changes checkpoints for a person: back in time, forward, and to another machine. Each change is one
// atomic save under the checkpoint's lock, so that a crash leaves the old checkpoint or the new one.
package moves

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Errors of what a person asked for, to be told from those of files.
var (
	// ErrNotAllowed is a move that makes no sense.
	ErrNotAllowed = errors.New("not allowed")
	// ErrWouldLose is a change that would leave out events, without the consent that it needs.
	ErrWouldLose = errors.New("events would be left out")
)

// Rewind moves the checkpoint at path back, so that everything that happened from to on is handed over again: from the
// beginning of its hour, since digests are kept by the hour. What was handed over before that stays known. reason is
// said at the collection's next start.
func Rewind(path string, to time.Time, reason string, now time.Time) (checkpoint.Move, error) {
	return change(path, reason, now, func(state *checkpoint.State) (checkpoint.Move, error) {
		return rewind(state, to.UTC().Truncate(time.Hour), now)
	})
}

// change does something to a checkpoint that has begun, and notes it.
func change(
	path, reason string, now time.Time, do func(*checkpoint.State) (checkpoint.Move, error),
) (move checkpoint.Move, err error) {
	reason = plainText(reason)
	if len(reason) > checkpoint.MaxReason {
		return move, fmt.Errorf("%w: the reason has more than %d bytes", ErrNotAllowed, checkpoint.MaxReason)
	}
	give := keepOwner(path)
	file, err := checkpoint.OpenExisting(path)
	if err != nil {
		return move, err
	}
	defer func() { err = errors.Join(err, give(), file.Close()) }()
	state, _ := file.State()
	if state.Through.IsZero() {
		return move, fmt.Errorf("%w: the collection of %s has not begun yet", ErrNotAllowed, path)
	}
	if len(state.Moves) == checkpoint.MaxMoves {
		return move, fmt.Errorf("%w: it was moved %d times since the collection ran last",
			ErrNotAllowed, checkpoint.MaxMoves)
	}
	if move, err = do(&state); err != nil {
		return move, err
	}
	move.At = now.UTC().Truncate(time.Millisecond)
	if move.Reason = strings.Trim(reason+"; "+move.Reason, "; "); len(move.Reason) > checkpoint.MaxReason {
		move.Reason = reason
	}
	if n := len(state.Moves); n > 0 && !move.At.After(state.Moves[n-1].At) {
		move.At = state.Moves[n-1].At.Add(time.Millisecond) // status events are told apart by it
	}
	state.Moves = append(state.Moves[:len(state.Moves):len(state.Moves)], move)
	return move, file.Save(state)
}

func rewind(state *checkpoint.State, to, now time.Time) (move checkpoint.Move, err error) {
	kept := now.Add(-source.Retention).UTC()
	switch {
	case !to.Before(state.Through):
		return move, fmt.Errorf("%w: the checkpoint stands at %s, which is not after %s; to leave out events use forward",
			ErrNotAllowed, stamp(state.Through), stamp(to))
	case to.Before(kept):
		return move, fmt.Errorf("%w: the endpoint keeps events for 90 days, since %s; the full hour of what was asked "+
			"for is %s", ErrNotAllowed, stamp(kept), stamp(to))
	}
	known, err := knownSince(*state)
	if err != nil {
		return move, err
	}
	left, err := storedOf(*state).Before(to, state.Through)
	if err != nil {
		return move, err
	}
	move = checkpoint.Move{Kind: checkpoint.Rewound, From: state.Through, To: to}
	state.Seen, state.Strays, state.Minutes, state.Hours = left.Seen, left.Strays, left.Minutes, left.Hours
	state.Through, state.Floor = to, earlier(to, known)
	state.From = earlier(state.From, to)
	if state.Deep.After(to) {
		state.Deep = to
	}
	state.Moves = without(state.Moves, to)
	return move, nil
}

// knownSince is from when on Seen has all that was handed over.
func knownSince(state checkpoint.State) (time.Time, error) {
	if state.Overlap == 0 { // an earlier version wrote it, or there is none
		counts, err := storedOf(state).Count(state.Through)
		if err != nil || counts.Oldest.IsZero() {
			return state.Through, err
		}
		return counts.Oldest, nil
	}
	return later(state.Through.Add(-state.Overlap), state.Floor).Truncate(time.Second), nil
}

// without takes what is read again from now on out of what was left out.
func without(all []checkpoint.Move, to time.Time) (moves []checkpoint.Move) {
	for _, m := range all {
		if m.Kind == checkpoint.Forwarded {
			if !m.From.Before(to) {
				continue
			}
			m.To = earlier(m.To, to)
		}
		moves = append(moves, m)
	}
	return moves
}

// Forward moves the checkpoint at path to a later time. What happened meanwhile is never collected, and not compared
// later on: accept says that this is meant. reason is said at the collection's next start.
func Forward(path string, to time.Time, reason string, accept bool, now time.Time) (checkpoint.Move, error) {
	return change(path, reason, now, func(state *checkpoint.State) (move checkpoint.Move, err error) {
		to := to.UTC().Truncate(time.Second)
		move = checkpoint.Move{Kind: checkpoint.Forwarded, From: state.Through, To: to}
		switch {
		case !to.After(state.Through):
			return move, fmt.Errorf("%w: the checkpoint stands at %s, which is not before %s; to send events again use "+
				"rewind", ErrNotAllowed, stamp(state.Through), stamp(to))
		case to.After(now):
			return move, fmt.Errorf("%w: %s lies in the future", ErrNotAllowed, stamp(to))
		case !accept:
			return move, fmt.Errorf("%w: what happened from %s to %s (%s) would never be collected; "+
				"if that is meant, say --accept-gap", ErrWouldLose, stamp(state.Through), stamp(to),
				to.Sub(state.Through).Round(time.Second))
		}
		if had := List(state.Moves).Reached(); had.After(state.Through) {
			move.Reason = fmt.Sprintf("up to %s it had been handed over before a rewind", stamp(earlier(had, to)))
		}
		state.Through, state.Floor = to, to
		return move, nil
	})
}

func storedOf(s checkpoint.State) dedup.Stored {
	return dedup.Stored{Seen: s.Seen, Strays: s.Strays, Minutes: s.Minutes, Hours: s.Hours}
}

// plainText is what a person wrote, on one line.
func plainText(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(text)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
