package moves

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
)

// Summary is what a checkpoint says, without its key and the identities.
type Summary struct {
	Path       string            `json:"path"`
	Endpoint   string            `json:"endpoint"`
	SearchTerm string            `json:"search_term,omitempty"`
	UsedBy     string            `json:"used_by,omitempty"` // the process that holds its lock
	Begun      bool              `json:"begun"`
	Through    time.Time         `json:"through,omitzero"` // everything up to here is done
	LagSeconds int64             `json:"lag_seconds"`      // since then, by the local clock
	From       time.Time         `json:"from,omitzero"`    // where the collection began
	Reconciled time.Time         `json:"reconciled,omitzero"`
	Deep       time.Time         `json:"deep,omitzero"`
	DeepBegan  time.Time         `json:"deep_began,omitzero"`
	Unsure     time.Time         `json:"unsure,omitzero"`
	Behind     string            `json:"behind,omitempty"` // so far the server's clock was behind the local one
	Overlap    string            `json:"overlap,omitempty"`
	Floor      time.Time         `json:"floor,omitzero"`
	RowLimit   int               `json:"row_limit,omitempty"`
	Columns    []string          `json:"columns"`
	Volatile   []string          `json:"volatile,omitempty"`
	Identities int               `json:"identities"` // that are known, so that they are not handed over again
	Strays     int               `json:"strays"`
	Minutes    int               `json:"minutes"` // that can be compared with the export
	Hours      int               `json:"hours"`   // likewise
	FirstHour  time.Time         `json:"first_hour,omitzero"`
	LastHour   time.Time         `json:"last_hour,omitzero"`
	Refused    int               `json:"refused"` // events that a destination refuses and that are kept aside
	Moves      []checkpoint.Move `json:"moves,omitempty"`
}

// Show says what the checkpoint at path holds. It takes no lock.
func Show(path string, now time.Time) (Summary, error) {
	from, state, holder, err := checkpoint.ReadExisting(path)
	if err != nil {
		return Summary{}, err
	}
	aside, _, err := checkpoint.ReadAside(path)
	if err != nil {
		return Summary{}, err
	}
	counts, err := storedOf(state).Count(state.Through)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{
		Path: path, Endpoint: from.Endpoint, SearchTerm: from.SearchTerm, UsedBy: holder,
		Begun: !state.Through.IsZero(), Through: state.Through, From: state.From, Reconciled: state.Reconciled,
		Deep: state.Deep, DeepBegan: state.DeepBegan, Unsure: state.Unsure, Floor: state.Floor,
		RowLimit: state.RowLimit, Columns: append([]string{}, state.Columns...), Volatile: state.Volatile,
		Identities: counts.Seen, Strays: counts.Strays, Minutes: counts.Minutes, Hours: counts.Hours,
		FirstHour: counts.FirstHour, LastHour: counts.LastHour, Refused: len(aside), Moves: state.Moves,
	}
	if s.Begun {
		s.LagSeconds = int64(now.Sub(state.Through) / time.Second)
	}
	if state.Behind > 0 {
		s.Behind = state.Behind.String()
	}
	if state.Overlap > 0 {
		s.Overlap = state.Overlap.String()
	}
	return s, nil
}
