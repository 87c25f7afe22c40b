package whole

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

var windowsBegin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func windowAt(n int) plan.Window {
	return plan.Window{
		Start: windowsBegin.Add(time.Duration(n) * time.Hour),
		End:   windowsBegin.Add(time.Duration(n+1) * time.Hour),
	}
}

func TestAnEmptyBodyIsBelievedWhenItComesTwice(t *testing.T) {
	var b Empty
	require.False(t, b.Believe(windowAt(0)))
	require.True(t, b.Believe(windowAt(0)))
	require.True(t, b.Believe(windowAt(1)), "that is how this endpoint answers")
	require.True(t, b.Believe(windowAt(2)))
}

func TestEmptyBodiesOfDifferentWindowsDoNotAddUp(t *testing.T) {
	var b Empty
	for n := range 10 {
		require.False(t, b.Believe(windowAt(n)))
	}
}

func TestAnEndpointWhoseEmptyExportsHaveAHeaderIsHardlyBelieved(t *testing.T) {
	var b Empty
	b.SawHeader(0)
	for range 3 {
		for range 4 {
			require.False(t, b.Believe(windowAt(0)))
		}
		require.True(t, b.Believe(windowAt(0)))
	}
	b = Empty{}
	b.SawHeader(5)
	require.False(t, b.Believe(windowAt(0)))
	require.True(t, b.Believe(windowAt(0)), "a header with rows says nothing about empty exports")
	b.SawHeader(0)
	require.False(t, b.Believe(windowAt(1)), "one that has a header takes the belief back")
}
