package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func two() *instances[string] {
	var t instances[string]
	t.add("a", 100, 1)
	t.add("b", 200, 2)
	return &t
}

func TestFindsInstance(t *testing.T) {
	for name, c := range map[string]struct {
		handle uintptr
		thread int
		want   string
	}{
		"by handle, whatever the thread": {200, 1, "b"},
		"by thread without a handle":     {0, 2, "b"},
		"a handle that has exited":       {300, 1, ""},
		"a thread that nobody has":       {0, 9, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := two().find(c.handle, c.thread)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.want != "", ok)
		})
	}
}

func TestFindsOnlyInstanceOnAnyThread(t *testing.T) {
	var table instances[string]
	_, ok := table.find(0, 1)
	assert.False(t, ok, "nothing was added")
	table.add("a", 100, 1)
	got, _ := table.find(0, 9)
	assert.Equal(t, "a", got)
	_, ok = table.find(999, 1)
	assert.False(t, ok, "a foreign handle is never the only instance")
}

func TestPauseMeansInstanceOfThread(t *testing.T) {
	assert.Equal(t, []string{"b"}, two().on(2))
	assert.Equal(t, []string{"a", "b"}, two().on(9), "an unknown thread holds all")
}

func TestRemove(t *testing.T) {
	table := two()
	assert.Equal(t, []string{"a"}, table.remove(1))
	assert.Equal(t, []string{"b"}, table.on(2), "the other one stays")
	assert.Equal(t, []string{"b"}, table.remove(9))
	assert.Empty(t, table.remove(2), "ended once only")
}

func TestRemoveOnUnknownThreadEndsAll(t *testing.T) {
	table := two()
	assert.Equal(t, []string{"a", "b"}, table.remove(9))
	assert.Empty(t, table.on(1))
}

// A reload reuses thread ids and C addresses; the old entry must be gone.
func TestReusedThreadAndHandle(t *testing.T) {
	table := two()
	table.remove(1)
	table.add("c", 100, 1)
	got, _ := table.find(100, 7)
	assert.Equal(t, "c", got)
	assert.Equal(t, []string{"c"}, table.on(1))
}
