package exporter

import (
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// committed is what the checkpoint on disk says. It is a value: to change it, change a copy and save that.
type committed struct {
	through    time.Time // everything up to here is safe
	from       time.Time // where the collection began
	key        []byte
	history    *dedup.History // never changed, but replaced by a clone
	columns    []string
	start      string        // the start_time that from came of; "" = not known
	volatile   []string      // of them, those that change while the events stay the same
	sharedIDs  []string      // hashes of texts in event_id that are none
	reconciled time.Time     // the server's time when the last reconciliation ended
	batch      uint32        // every batch up to this number is part of it
	seen       []byte        // as stored
	unsure     time.Time     // since when, by the local clock, through may lie in the future; zero = it does not
	behind     time.Duration // see plan.Clock
	strays     []byte        // likewise
	rowLimit   int           // see whole.RowLimit; 0 = none is known
	hours      *dedup.Hours  // likewise never changed
	deep       deepCursor
	floor      time.Time // see checkpoint.State
	moves      moves.List
}

// saved is the checkpoint's file together with the state that is on it. The state changes in save alone, and
// only after the file did: disk first, then memory. TestOnlySaveChangesWhatIsSaved holds that.
type saved struct {
	file    *checkpoint.File
	state   committed
	overlap time.Duration // the setting, for whoever moves the checkpoint by hand
}

// loadSaved reads the file's state. A file without one gets one at once, so that a later start knows that it
// lost nothing even if the endpoint never answered this one. Its errors are for the person who set
// checkpoint_path to path.
func loadSaved(file *checkpoint.File, path string, overlap time.Duration) (saved, error) {
	state, found := file.State()
	if !found {
		state = checkpoint.State{Key: checkpoint.NewKey()}
		if err := file.Save(state); err != nil {
			return saved{}, fmt.Errorf("checkpoint_path: %w", err)
		}
	}
	history, err := dedup.LoadHistory(state.Minutes)
	if err != nil {
		return saved{}, unreadable(path, err)
	}
	hours, err := dedup.LoadHours(state.Hours, state.Through)
	if err != nil {
		return saved{}, unreadable(path, err)
	}
	return saved{file: file, overlap: overlap, state: committed{
		through: state.Through, from: state.From, key: state.Key, history: history,
		columns: state.Columns, reconciled: state.Reconciled, seen: state.Seen, strays: state.Strays,
		unsure:    state.Unsure,
		behind:    state.Behind,
		volatile:  state.Volatile,
		start:     state.Start,
		sharedIDs: state.SharedIDs,
		rowLimit:  state.RowLimit,
		hours:     hours,
		deep:      deepCursor{at: state.Deep, began: state.DeepBegan},
		floor:     sweepFloor(state, overlap),
		moves:     state.Moves,
	}}, nil
}

// sweepFloor is where sweeps begin at the earliest. Behind a shorter overlap of the last run no identities are kept:
// what is read there again would be handed over again, and count twice. Reconciliation compares it, as it would have.
func sweepFloor(state checkpoint.State, overlap time.Duration) time.Time {
	if state.Through.IsZero() || state.Overlap == 0 || state.Overlap >= overlap {
		return state.Floor
	}
	return plan.Later(state.Floor, state.Through.Add(-state.Overlap).Truncate(time.Second))
}

// save writes next to disk and then makes it the state. Its error is a doubtError, and nothing has changed then.
func (s *saved) save(next committed) error {
	if err := s.write(next); err != nil {
		return err
	}
	s.state = next
	return nil
}

// write writes next to disk alone.
func (s *saved) write(next committed) error {
	err := s.file.Save(checkpoint.State{
		Through:    next.through,
		From:       next.from,
		Key:        next.key,
		Seen:       next.seen,
		Strays:     next.strays,
		Minutes:    next.history.Store(),
		Columns:    next.columns,
		Volatile:   next.volatile,
		Start:      next.start,
		SharedIDs:  next.sharedIDs,
		Reconciled: next.reconciled,
		Unsure:     next.unsure,
		Behind:     next.behind,
		RowLimit:   next.rowLimit,
		Hours:      next.hours.Store(),
		Deep:       next.deep.at,
		DeepBegan:  next.deep.began,
		Overlap:    s.overlap,
		Floor:      next.floor,
		Moves:      next.moves,
	})
	if err != nil {
		return &doubtError{cause: fmt.Sprintf("the checkpoint cannot be saved: %v", err), save: true}
	}
	return nil
}

func unreadable(path string, err error) error {
	return fmt.Errorf("checkpoint_path %s: %w; "+
		"restore the file from a copy, or move it away to start again from start_time", path, err)
}

// parts saves which events are safe of a window that was not read whole yet, so that a crash does not repeat them: the
// window is read again, and they are known. What is saved is for a restart only: in memory nothing is committed before
// the window was read whole.
type parts struct {
	saved uint32        // batches up to this number are in the file; at least those that are committed
	at    time.Time     // when the last save or commit ended, or the instance began
	took  time.Duration // the last save
}

// due reports whether so much time has passed that a save of so many events costs a thousandth of it.
func (p *parts) due(now time.Time, events int) bool {
	const (
		share = 1000                 // times as long as a save takes: it writes every event of the window once more
		event = 25 * time.Nanosecond // what it takes for each event, at least: measured with a million
	)
	return now.Sub(p.at) >= share*max(p.took, time.Duration(events)*event)
}

// savePart saves the batches up to safe, if it is worth it.
func (c *commits) savePart(safe uint32) error {
	begin := time.Now()
	if c.through().IsZero() || safe <= max(c.parts.saved, c.saved.state.batch) || !c.parts.due(begin, c.seen.Count) {
		return nil
	}
	next := c.saved.state
	next.through = c.through()
	next.history, next.hours, next.batch = next.history.Clone(), next.hours.Clone(), safe
	c.fill(&next)
	err := c.saved.write(next)
	c.parts.at, c.parts.took = time.Now(), time.Since(begin)
	if err == nil {
		c.parts.saved = safe
	}
	return err
}
