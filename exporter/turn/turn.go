// Package turn keeps the requests of one process to one endpoint apart: fifty organisations in one Fluent Bit must not
// ask all at once.
package turn

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Queue gives turns in the order in which they are asked for. Who asks again stands behind all that wait, so that each
// of several that always want one gets as many as the others. A turn is a moment, not a stretch: what follows may take
// as long as it likes and holds up nobody. Its zero value is ready, and safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	last    time.Time       // the last turn
	waiting []chan struct{} // in order; the first is closed
}

// queues are the process's, by endpoint. There are as many as settings name, so none is ever taken out.
var queues struct {
	mu sync.Mutex
	of map[string]*Queue
}

// Of returns the queue of an endpoint, the same for all that give the same name.
func Of(endpoint string) *Queue {
	queues.mu.Lock()
	defer queues.mu.Unlock()
	if queues.of == nil {
		queues.of = make(map[string]*Queue)
	}
	if queues.of[endpoint] == nil {
		queues.of[endpoint] = new(Queue)
	}
	return queues.of[endpoint]
}

// Take waits for a turn, at least distance after the one before, whoever had that. A distance of 0 waits only for those
// that came earlier. It returns ctx's error if that ends first; the turn is the next one's then.
func (q *Queue) Take(ctx context.Context, distance time.Duration) error {
	first := q.join()
	defer q.leave(first)
	select {
	case <-first:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // select takes any of what is ready
		return ctx.Err()
	}
	// No longer than the distance, whatever the last turn says.
	if rest := min(time.Until(q.previous().Add(distance)), distance); rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last = time.Now()
	return nil
}

// join returns a channel that is closed when all that came earlier are gone.
func (q *Queue) join() (first chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first = make(chan struct{})
	if q.waiting = append(q.waiting, first); len(q.waiting) == 1 {
		close(first)
	}
	return first
}

// leave lets the next one be first.
func (q *Queue) leave(who chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, who)
	if q.waiting = slices.Delete(q.waiting, at, at+1); at == 0 && len(q.waiting) > 0 {
		close(q.waiting[0])
	}
}

func (q *Queue) previous() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}
