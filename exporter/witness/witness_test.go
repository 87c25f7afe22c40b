package witness

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return noon.Add(d) }

func TestAWitnessIsAskedOnceAMinuteOrOnceAWindow(t *testing.T) {
	w := new(Witness)
	require.Equal(t, Untried, w.State())
	require.True(t, w.Due(noon, false))
	w.Asked(noon, 0)
	require.True(t, w.Answered(), "that is worth a line")
	require.Equal(t, Trusted, w.State())
	require.False(t, w.Answered(), "once")
	require.False(t, w.Due(after(Pause-1), false))
	require.True(t, w.Due(after(Pause-1), true), "a window that is read for the first time")
	require.True(t, w.Due(after(Pause), false))
	w.Asked(after(Pause), 2*time.Second)
	require.False(t, w.Due(after(Pause+2*time.Minute-1), false), "a slow one less often")
	require.True(t, w.Due(after(Pause+2*time.Minute), false))
	require.True(t, w.Due(after(Pause), true))
	off := &Witness{Off: true}
	require.False(t, off.Due(noon, false) || off.Due(noon, true))
}

func TestAWitnessThatDoesNotAnswerIsAskedAgainAfterADay(t *testing.T) {
	w := new(Witness)
	pause, tell := w.Failed(noon, 0)
	require.True(t, tell)
	require.Equal(t, 24*time.Hour, pause)
	require.Equal(t, None, w.State())
	require.False(t, w.Due(after(24*time.Hour-1), true))
	require.True(t, w.Due(after(24*time.Hour), false))
	require.True(t, w.Answered(), "it is there again")
}

func TestAWitnessThatAsksToWaitIsAskedAgainThen(t *testing.T) {
	w := new(Witness)
	require.True(t, w.Answered())
	pause, tell := w.Failed(noon, time.Second)
	require.Equal(t, Pause, pause)
	require.True(t, tell)
	require.False(t, w.Due(after(Pause-1), true))
	require.True(t, w.Due(after(Pause), true))
	require.True(t, w.Answered())
	for minute := range 23 * 60 {
		_, tell = w.Failed(after(time.Duration(minute)*time.Minute), 30*time.Minute)
		require.False(t, tell, "once a day")
		require.False(t, w.Answered(), "likewise")
	}
	_, tell = w.Failed(after(24*time.Hour), 30*time.Minute)
	require.True(t, tell)
	require.False(t, w.Due(after(24*time.Hour+30*time.Minute-1), true))
	require.True(t, w.Due(after(24*time.Hour+30*time.Minute), true))
}

func TestAWitnessThatIsWrongIsNotBelievedForADay(t *testing.T) {
	w := new(Witness)
	w.Answered()
	require.True(t, w.Wrong(noon))
	require.Equal(t, Disbelieved, w.State())
	require.False(t, w.Due(after(24*time.Hour-1), true))
	require.True(t, w.Due(after(24*time.Hour), true))
	require.False(t, w.Answered())
	require.Equal(t, Trusted, w.State())
	require.False(t, w.Wrong(after(24*time.Hour)), "said once")
	require.False(t, w.Due(after(48*time.Hour-1), true))
}

func TestDisagreementsInVainAreBounded(t *testing.T) {
	w := new(Witness)
	for n := range mostVain - 1 {
		require.False(t, w.Vain(after(time.Duration(n)*time.Hour)))
	}
	require.True(t, w.Due(after(4*time.Hour), true))
	require.True(t, w.Vain(after(4*time.Hour)))
	require.Equal(t, Disbelieved, w.State())
	require.False(t, w.Due(after(28*time.Hour-1), true))
	require.True(t, w.Due(after(28*time.Hour), true))
	for day := range 100 {
		require.False(t, w.Vain(after(time.Duration(day+2)*24*time.Hour)), "one a day goes on")
	}
}

func TestPartsByTheTimesOfRowsAreBounded(t *testing.T) {
	w := new(Witness)
	for n := range mostVain {
		require.True(t, w.ByTime(noon))
		require.Equal(t, n == mostVain-1, w.Untimely(noon))
	}
	require.False(t, w.ByTime(noon))
	require.True(t, w.Due(noon, true), "whole windows are counted all the same")
	require.False(t, w.ByTime(after(24*time.Hour-1)))
	require.True(t, w.ByTime(after(24*time.Hour)))
	w.Untimely(after(24 * time.Hour))
	require.True(t, w.ByTime(after(24*time.Hour)))
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		least, most int
		total       int64
		want        Verdict
	}{
		{0, 0, 0, Agrees},
		{5, 5, 5, Agrees},
		{5, 5, 6, Misses},
		{5, 5, 4, Wrong},
		{0, 0, 1, Misses},
		{5, 8, 5, Agrees},
		{5, 8, 7, Agrees},
		{5, 8, 8, Agrees},
		{5, 8, 9, Misses},
		{5, 8, 4, Wrong},
		{5, 5, math.MaxInt64, Misses},
	} {
		require.Equal(t, c.want, Judge(c.least, c.most, c.total), c)
	}
}

func TestProofs(t *testing.T) {
	var p Proofs
	for _, window := range []struct {
		framed bool
		more   []Proof
	}{
		{true, nil},
		{true, []Proof{Halved, Counted}},
		{true, []Proof{Counted}},
		{false, nil},
		{true, []Proof{Mismatched, Halved}},
	} {
		p.Begin(window.framed)
		for _, proof := range window.more {
			p.Add(proof)
		}
		p.End()
	}
	p.Begin(false)
	p.Add(Counted) // of a window that was not read to its end
	require.Equal(t, "windows read whole: 1 by a count that did not agree, 2 by a count that agreed, "+
		"1 by HTTP's framing, 1 by two equal answers", p.Take())
	p.Begin(true)
	p.Add(Halved)
	require.Equal(t, Halved, p.Now())
	p.End()
	require.Equal(t, "windows read whole: 1 by halves that agreed", p.Take())
}
