package handover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatTheStorageIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger(OnStorage, 1000)
		l.setRouted(true)
		require.False(t, l.isUnderWay())
		require.True(t, l.lastAccepted().IsZero())
		l.Push(records(0, 1), 1, "")
		require.False(t, l.isUnderWay(), "it waits for a collect call")
		l.Next()
		require.True(t, l.isUnderWay(), "the engine copies it")
		require.Empty(t, l.unstored(), "and has not yet")
		l.Accept()
		first := time.Now()
		require.Equal(t, first, l.lastAccepted())
		time.Sleep(time.Second)
		l.Push(records(1, 1), 1, "")
		l.Next()
		l.Accept()
		require.Equal(t, first.Add(time.Second), l.lastAccepted())
		require.Len(t, l.unstored(), 2)
		require.False(t, l.allStored())
		l.store(2)
		require.Len(t, l.unstored(), 1)
		require.Zero(t, safeNow(l), "the one before is not found")
		require.True(t, l.isUnderWay())
		l.store(1)
		require.True(t, l.allStored())
		require.False(t, l.isUnderWay())
		require.EqualValues(t, 2, safeNow(l))
		since := l.handed().since
		require.True(t, since.IsZero(), "nothing waits for the watch")
		require.True(t, l.lastAccepted().IsZero())
	})
}

// What waits for delivery for long is looked for from the oldest on, and not all at once.
func TestSoManyBatchesAreLookedFor(t *testing.T) {
	l := NewLedger(OnDelivery, 1000)
	l.budget.Free()
	for n := range unstoredMost + 5 {
		require.True(t, l.Push(records(n, 1), 1, ""))
		l.Next()
		l.Accept()
	}
	list := l.unstored()
	require.Len(t, list, unstoredMost)
	require.EqualValues(t, 1, list[0].number)
	l.store(1)
	require.EqualValues(t, 2, l.unstored()[0].number)
	require.Zero(t, safeNow(l), "with commit_on delivery storage is no proof")
}

// Whatever another plugin writes into its labels: the engine's figures are read.
func TestLabelsOfPrometheusText(t *testing.T) {
	for line, want := range map[string]map[string]string{
		`up{a="b"} 1`:              {"a": "b"},
		`up{a="b",c="d",} 1`:       {"a": "b", "c": "d"},
		`up{a="\"\\\n, }="} 1`:     {"a": "\"\\\n, }="},
		`up{a="b\`:                 nil,
		`up{a="b\"`:                nil,
		`up{a="b`:                  nil,
		`up{a} 1`:                  nil,
		`up{} 1`:                   {},
		`up 1 1795864922000`:       nil,
		`up{a="b"}`:                nil,
		`up{a="b"} many`:           nil,
		`up`:                       nil,
		`up{a="` + "\t" + `x"} 1 `: {"a": "\tx"},
	} {
		s, ok := parseSample(line)
		require.Equal(t, want != nil || line == "up 1 1795864922000", ok, line)
		if ok {
			require.Equal(t, "up", s.name)
			require.EqualValues(t, 1, s.value)
			require.Equal(t, want, s.labels, line)
		}
	}
}
