package exportertest

import (
	"context"
	"slices"
	"sort"
	"time"
)

// Add adds events.
func (s *Server) Add(events ...Event) {
	own := make([]*Event, len(events))
	for i := range events {
		e := events[i]
		own[i] = &e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added = append(s.added, own...)
	for _, e := range own {
		if n := len(s.events); n > 0 && e.filed().Before(s.events[n-1].filed()) {
			s.unsorted = true
		}
		s.events = append(s.events, e)
	}
}

// Events returns all events that are not forgotten, by time, visible or not.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sort()
	return values(s.events)
}

// Visible returns the events that the export shows now to whom has no limits, by time.
func (s *Server) Visible() []Event {
	now := s.options.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sort()
	var shown []*Event
	for _, e := range s.events {
		if !e.appears().After(now) {
			shown = append(shown, e)
		}
	}
	return values(shown)
}

func values(events []*Event) []Event {
	out := make([]Event, len(events))
	for i, e := range events {
		out[i] = *e
	}
	return out
}

// sort puts events by time; those of one time stay as they were added.
func (s *Server) sort() {
	if s.unsorted {
		slices.SortStableFunc(s.events, func(a, b *Event) int { return a.filed().Compare(b.filed()) })
		s.unsorted = false
	}
}

// between returns the events of a window that are shown; both ends are inclusive.
func (s *Server) between(start, end time.Time, shown func(*Event) bool) []*Event {
	s.mu.Lock()
	s.sort()
	from := sort.Search(len(s.events), func(i int) bool { return !s.events[i].filed().Before(start) })
	to := sort.Search(len(s.events), func(i int) bool { return s.events[i].filed().After(end) })
	events := slices.Clone(s.events[from:max(from, to)])
	s.mu.Unlock()
	return slices.DeleteFunc(events, func(e *Event) bool { return !shown(e) })
}

// forget drops what happened before the oldest time that is kept. The caller holds the lock.
func (s *Server) forget(oldest time.Time) {
	s.sort()
	n := sort.Search(len(s.events), func(i int) bool { return !s.events[i].filed().Before(oldest) })
	s.forgotten = append(s.forgotten, s.events[:n]...)
	s.events = s.events[n:]
}

// Forgotten returns the events that the server no longer has: Answers.Forgets.
func (s *Server) Forgotten() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return values(s.forgotten)
}

// followInterval is how often Follow looks.
const followInterval = 50 * time.Millisecond

// Follow calls tell with every event, once, soon after it became visible, until ctx ends or tell returns an
// error, which it returns.
func (s *Server) Follow(ctx context.Context, tell func(Event) error) error {
	var waiting []*Event
	for seen := 0; ; {
		now := s.options.Clock()
		s.mu.Lock()
		waiting = append(waiting, s.added[seen:]...)
		seen = len(s.added)
		s.mu.Unlock()
		later := waiting[:0]
		for _, e := range waiting {
			if e.appears().After(now) {
				later = append(later, e)
				continue
			}
			if err := tell(*e); err != nil {
				return err
			}
		}
		clear(waiting[len(later):])
		waiting = later
		if sleep(ctx, followInterval) != nil { // ctx ended, as a caller means it to
			return nil //nolint:nilerr
		}
	}
}
