package progress

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// bubble is a backfill in fake time that reads ten days.
type bubble struct {
	*Backfill
	log     logline.Queue
	figures Figures
	from    time.Time
}

func inBubble(t *testing.T, test func(t *testing.T, b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{figures: Figures{Events: 7, Requests: 3}, from: time.Now().UTC()}
		b.Backfill = New(&b.log, "delivered", func() Figures { return b.figures })
		test(t, b)
	})
}

// after is so many days after the beginning.
func (b *bubble) after(days int) time.Time { return b.from.AddDate(0, 0, days) }

// read is so many seconds in which days and events are read, while the engine calls once a second.
func (b *bubble) read(seconds, days int, events int64) {
	for range seconds {
		time.Sleep(time.Second)
		b.Tick()
	}
	b.figures.Events += events
	b.figures.Requests++
	b.Read(b.after(days), days == 10, "")
}

func (b *bubble) said() (lines []string) {
	for _, line := range b.log.Drain() {
		lines = append(lines, line.Text)
	}
	return lines
}

func TestABackfillIsToldEveryTenSeconds(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.Begin(b.from, b.after(10))
		b.read(5, 1, 100)
		require.Equal(t, []string{"backfill: reads from 2000-01-01T00:00:00Z to 2000-01-11T00:00:00Z"}, b.said())
		b.read(5, 2, 300)
		require.Equal(t, []string{
			"backfill: will take about 1m0s at the speed of its first seconds",
			"backfill: 10 %, at 2000-01-02T00:00:00Z, 100 events, 10 events/s, about 1m30s left",
		}, b.said())
		b.read(10, 5, 600)
		require.Equal(t, []string{
			"backfill: 20 %, at 2000-01-03T00:00:00Z, 400 events, 30 events/s, about 1m20s left",
		}, b.said(), "the speed is that of the last ten seconds")
		b.read(10, 10, 500)
		require.Len(t, b.said(), 1)
		b.Committed(b.after(10))
		require.Equal(t, []string{
			"caught up at 2000-01-11T00:00:00Z: 1500 events delivered in 30s with 4 requests, 50 events/s",
		}, b.said())
		b.read(60, 10, 10)
		b.Committed(b.after(11))
		require.Empty(t, b.said(), "it is over")
	})
}

// It is over when what it read is committed, and not before.
func TestABackfillEndsWithTheLastCommit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.Begin(b.from, b.after(10))
		b.Committed(b.after(10))
		b.read(1, 10, 100)
		b.said()
		b.Sweep(b.after(11)) // a poll
		b.Read(b.after(11), true, "")
		b.Committed(b.after(9))
		b.read(60, 10, 0)
		require.Equal(t, []string{
			"backfill: all is read up to 2000-01-11T00:00:00Z, 100 events; it ends when they are delivered",
		}, b.said(), "once, since nothing changes")
		b.Again(b.after(9))
		b.Committed(b.after(10))
		require.Empty(t, b.said(), "a part of it is read again")
		b.Begin(b.after(9), b.after(10))
		b.Read(b.after(10), true, "")
		b.Committed(b.after(10))
		require.Equal(t, []string{
			"caught up at 2000-01-11T00:00:00Z: 100 events delivered in 1m1s with 2 requests, 2 events/s",
		}, b.said(), "it is the same one")
	})
}

// While the endpoint or the engine stands still there is nothing to say, and what cannot be known is not told.
func TestABackfillThatStandsStillIsSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.read(60, 1, 0)
		require.Empty(t, b.said(), "there is none")
		b.Begin(b.from, b.after(10))
		b.said()
		b.read(3600, 0, 40)
		require.Empty(t, b.said())
		b.read(3600, 0, 0)
		require.Equal(t, []string{
			"backfill: 0 %, at 2000-01-01T00:00:00Z, 40 events, 0 events/s, time left not known yet",
		}, b.said())
	})
}

// A start near the present is no backfill; that the collection has caught up is said all the same, once.
func TestAStartNearThePresentSaysOnceThatItCaughtUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		for minute := range 3 {
			end := b.from.Add(time.Duration(minute) * time.Minute)
			b.Sweep(end)
			b.Read(end, true, "")
			if minute == 0 {
				require.Empty(t, b.said(), "not committed")
				b.Again(b.from)
				b.Committed(end)
				require.Empty(t, b.said(), "it is read again")
				b.Read(end, true, "")
			}
			b.Committed(end)
		}
		require.Equal(t, []string{"caught up at " + b.from.Format(time.RFC3339)}, b.said())
	})
}
