package main

import (
	"slices"
	"sync"
)

// instances finds the instance that a callback means. Fluent Bit gives its
// handle to collect and cleanup from 4.1 on; Pause, Resume, PreExit and Exit
// carry nothing. But every Go input has a thread of its own, and Init and all
// its callbacks run on it (src/flb_input_thread.c of Fluent Bit), so the thread
// tells which one is meant. All methods may be called from any thread.
type instances[T any] struct {
	mu   sync.Mutex
	list []*entry[T] // in the order of Init
}

type entry[T any] struct {
	value  T
	handle uintptr
	thread int
}

// add enters an instance whose Init runs on the given thread.
func (t *instances[T]) add(value T, handle uintptr, thread int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, &entry[T]{value, handle, thread})
}

// find returns the instance of a call that concerns exactly one: by handle if
// there is one, else by thread. An only instance is found on any thread, since
// there is no other that could be meant.
func (t *instances[T]) find(handle uintptr, thread int) (value T, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.list {
		if handle != 0 && e.handle == handle || handle == 0 && e.thread == thread {
			return e.value, true
		}
	}
	if handle == 0 && len(t.list) == 1 {
		return t.list[0].value, true
	}
	return value, false
}

// on returns the instance of this thread; on a thread that no instance has, all
// of them: to hold one too many is safe, to hand over after a pause is not.
func (t *instances[T]) on(thread int) []T {
	t.mu.Lock()
	defer t.mu.Unlock()
	return values(t.meant(thread))
}

// remove takes out what on returns. Fluent Bit ends every instance of the old
// configuration before it starts one of the new, so ending all of them on an
// unknown thread ends none that goes on.
func (t *instances[T]) remove(thread int) []T {
	t.mu.Lock()
	defer t.mu.Unlock()
	gone := t.meant(thread)
	t.list = slices.DeleteFunc(slices.Clone(t.list), func(e *entry[T]) bool { return slices.Contains(gone, e) })
	return values(gone)
}

func (t *instances[T]) meant(thread int) []*entry[T] {
	for _, e := range t.list {
		if e.thread == thread {
			return []*entry[T]{e}
		}
	}
	return t.list
}

func values[T any](list []*entry[T]) []T {
	var out []T
	for _, e := range list {
		out = append(out, e.value)
	}
	return out
}
