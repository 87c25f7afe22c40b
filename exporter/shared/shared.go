// Package shared lets several askers of one thing share the answers.
package shared

import (
	"context"
	"sync"
	"time"
)

// Answers are what several of this process read of one place. Whoever asks gets the answer to a request that began
// after they asked, as if it were their own, and those who ask before it begins share it. All methods may be called
// from any goroutine.
type Answers[T any] struct {
	interval time.Duration // between two requests, however many wait

	mu   sync.Mutex
	next *answer[T] // to a request that has not begun; nil = nobody waits for one
	last time.Time  // when one began
}

type answer[T any] struct {
	done     chan struct{} // closed when there is one
	got      T
	err      error
	deserted bool // whoever was to ask has ended instead
}

// places are all that is asked, by name. There are as many as settings name, so none is ever taken out.
var places struct {
	mu sync.Mutex
	at map[string]any
}

// At returns the answers of a place, the same for all that give the same name, which must want the same type.
func At[T any](place string, interval time.Duration) *Answers[T] {
	places.mu.Lock()
	defer places.mu.Unlock()
	if places.at == nil {
		places.at = make(map[string]any)
	}
	if places.at[place] == nil {
		places.at[place] = &Answers[T]{interval: interval}
	}
	return places.at[place].(*Answers[T])
}

// Read returns what ask does, called by this asker or by another after Read was called. Nobody may change what it
// returns.
func (f *Answers[T]) Read(ctx context.Context, ask func(context.Context) (T, error)) (got T, err error) {
	for {
		a, mine, wait := f.join()
		if mine {
			f.answer(ctx, a, wait, ask)
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return got, ctx.Err()
		}
		if !a.deserted || ctx.Err() != nil {
			return a.got, a.err
		}
	}
}

// join returns the answer to wait for, and whether the caller is the one to ask for it, after a while.
func (f *Answers[T]) join() (a *answer[T], mine bool, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next != nil {
		return f.next, false, 0
	}
	f.next = &answer[T]{done: make(chan struct{})}
	return f.next, true, f.interval - time.Since(f.last)
}

// answer asks for it.
func (f *Answers[T]) answer(
	ctx context.Context, a *answer[T], wait time.Duration, ask func(context.Context) (T, error),
) {
	defer close(a.done)
	a.deserted = true // also if ask panics
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	f.begin()
	if a.err = ctx.Err(); a.err == nil {
		a.got, a.err = ask(ctx)
	}
	a.deserted = ctx.Err() != nil
}

// begin makes whoever asks from now on wait for another answer.
func (f *Answers[T]) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next, f.last = nil, time.Now()
}
