package checkpoint

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Move is what a person did to a checkpoint by hand. It is kept until the collection has said it and has passed it.
type Move struct {
	Kind   MoveKind  `json:"kind"`
	At     time.Time `json:"at"`   // when, by the local clock
	From   time.Time `json:"from"` // Through before
	To     time.Time `json:"to"`   // Through after
	Reason string    `json:"reason,omitempty"`
	Told   bool      `json:"told,omitempty"` // the collection has said it, in its log and as a status event
}

// MoveKind says in which direction a checkpoint was moved.
type MoveKind string

const (
	Rewound   MoveKind = "rewound"   // what happened from To on is handed over again
	Forwarded MoveKind = "forwarded" // what happened from From up to To is left out, and not compared either
)

// Bounds of what is kept of moves.
const (
	MaxMoves  = 100
	MaxReason = 500 // bytes
)

func (m Move) validate() error {
	switch {
	case m.Kind != Rewound && m.Kind != Forwarded:
		return fmt.Errorf("it has a move of the kind %q", m.Kind)
	case m.Kind == Rewound && m.To.After(m.From), m.Kind == Forwarded && m.To.Before(m.From):
		return fmt.Errorf("it has a move of the kind %q from %s to %s",
			m.Kind, m.From.Format(time.RFC3339), m.To.Format(time.RFC3339))
	case len(m.Reason) > MaxReason || !utf8.ValidString(m.Reason):
		return fmt.Errorf("it has a move whose reason has more than %d bytes, or is no UTF-8", MaxReason)
	}
	for name, at := range map[string]time.Time{"at": m.At, "from": m.From, "to": m.To} {
		if year := at.UTC().Year(); year < 1970 || year > 9999 {
			return fmt.Errorf("it has a move whose time %q is in the year %d", name, year)
		}
	}
	return nil
}

// utcMoves returns moves with their times as they are written: in UTC, without a monotonic part.
func utcMoves(moves []Move) []Move {
	if len(moves) == 0 {
		return nil
	}
	out := make([]Move, len(moves))
	for i, m := range moves {
		m.At, m.From, m.To = m.At.Round(0).UTC(), m.From.Round(0).UTC(), m.To.Round(0).UTC()
		out[i] = m
	}
	return out
}
