package exporter

import "time"

// parts saves which events are safe of a window that was not read whole yet, so that a crash does not repeat them: the
// window is read again, and they are known. What is saved is for a restart only: in memory nothing is committed before
// the window was read whole.
type parts struct {
	saved uint32    // batches up to this number are in the file; at least those that are committed
	next  time.Time // not before: each such save writes every event of the window once more
}

const partShare = 50 // times as long as a save took, before the next

// savePart saves the batches up to safe, if it is worth it.
func (c *commits) savePart(safe uint32) error {
	begin := time.Now()
	if c.through().IsZero() || safe <= max(c.parts.saved, c.saved.state.batch) || begin.Before(c.parts.next) {
		return nil
	}
	next := c.saved.state
	next.history, next.hours, next.batch = next.history.Clone(), next.hours.Clone(), safe
	c.fill(&next)
	err := c.saved.write(next)
	c.parts.next = time.Now().Add(partShare * time.Since(begin))
	if err == nil {
		c.parts.saved = safe
	}
	return err
}
