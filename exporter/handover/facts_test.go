package handover

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// engineWith is figures of an engine with storage.path and this input, which has taken in records.
func engineWith(records, memory, onDisk int64) *snapshot {
	s := newSnapshot()
	s.ours, s.memory, s.onDisk = "audit", memory, onDisk
	s.inputOf("audit").records = records
	s.inputOf(backlogPrefix + "1")
	return s
}

// Memory storage is certain only where nothing else can have the chunks in memory.
func TestWhenMemoryStorageIsCertain(t *testing.T) {
	others := engineWith(5, 1, 0)
	others.inputOf("cpu.1")
	diskless := newSnapshot()
	diskless.ours = "audit"
	diskless.inputOf("audit")
	for name, c := range map[string]struct {
		s    *snapshot
		want bool
	}{
		"chunks in memory alone": {engineWith(5, 1, 0), true}, "no storage.path": {diskless, true},
		"chunks in files": {engineWith(5, 0, 1), false}, "both": {engineWith(5, 1, 1), false},
		"nothing taken in": {engineWith(0, 1, 0), false}, "no chunks": {engineWith(5, 0, 0), false},
		"not told": {engineWith(5, unknown, unknown), false}, "another input": {others, false},
	} {
		var f Facts
		f.learn(c.s, 0)
		require.Equal(t, c.want, f.inMemory(), name)
		f.learn(engineWith(5, 0, 0), 0)
		require.Equal(t, c.want, f.inMemory(), "%s: what is certain stays so", name)
	}
}

func TestWhatIsStoredWhereFiltersMayEmit(t *testing.T) {
	filter := func(emitted int64) *snapshot {
		s := engineWith(5, 0, 1)
		*s.filterOf("rewrite_tag.0") = filterFigures{name: "rewrite_tag.0", records: 5, emitted: emitted, emits: true}
		return s
	}
	inFlight, ram := filter(2), filter(2)
	ram.inputOf("emitter_for_rewrite_tag.0").records, ram.memory = 2, 1
	done := filter(2)
	done.inputOf("emitter_for_rewrite_tag.0").records = 2
	for name, c := range map[string]struct {
		s                      *snapshot
		counted                uint64
		allowed, byID, emitted bool
	}{
		"no filter emits, counted":     {engineWith(5, 0, 1), 5, true, true, false},
		"no filter emits, not counted": {engineWith(5, 0, 1), 4, true, false, false},
		"one may":                      {filter(0), 5, true, true, false},
		"one may, not counted":         {filter(0), 4, false, false, false},
		"on their way":                 {inFlight, 5, false, false, true},
		"in memory":                    {ram, 5, false, false, true},
		"in files":                     {done, 5, true, true, true},
	} {
		var f Facts
		f.learn(c.s, c.counted)
		allowed, byID := f.mayBeStored(5)
		require.Equal(t, []bool{c.allowed, c.byID, c.emitted}, []bool{allowed, byID, f.state().emitted}, name)
	}
}

// An engine that has not answered may only be starting.
func TestWhenAnEngineIsMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Facts
		began := time.Now()
		time.Sleep(apiStart)
		f.silent(errors.New("timeout"), began)
		require.False(t, f.state().mute)
		time.Sleep(time.Nanosecond)
		f.silent(errors.New("timeout"), began)
		require.True(t, f.state().mute)

		f = Facts{}
		f.silent(syscall.ECONNREFUSED, time.Now())
		require.True(t, f.state().mute, "nobody listens there")
		f.learn(engineWith(0, 0, 0), 0)
		require.False(t, f.state().mute)
		f.silent(syscall.ECONNREFUSED, began)
		require.False(t, f.state().mute, "it has answered, and may again")
		f.end()
		require.False(t, f.state().mute)
		f = Facts{}
		f.end()
		require.True(t, f.state().mute)
	})
}
