package handover

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// refusing is a ledger in fake time before a destination that refuses whole what has a bad record. The engine hands on
// at once.
type refusing struct {
	*testing.T
	l         *Ledger
	bad       map[int]bool
	full      bool // nothing can be kept
	down      bool // the destination refuses everything
	delivered []int
	kept      []int
	parts     []int // how many records were handed over, each time
	tried     []string
	total     uint64 // records handed over
}

func newRefusing(t *testing.T, bad ...int) *refusing {
	d := &refusing{T: t, l: NewLedger(OnDelivery, 1000), bad: map[int]bool{}}
	for _, n := range bad {
		d.bad[n] = true
	}
	return d
}

// push queues a batch of so many records, from first on.
func (d *refusing) push(first, n int) { require.True(d, d.l.Push(records(first, n), n, "")) }

// call is a collect call, and all that follows from it.
func (d *refusing) call() (handed bool) {
	data := d.l.Next()
	if data == nil {
		d.noteTried(d.l.Deliver(d.l.pushed)) // nothing is left in the engine
		return false
	}
	numbers := numbersOf(data)
	d.parts = append(d.parts, len(numbers))
	d.l.Accept()
	d.total += uint64(len(numbers))
	counted := d.l.handed().records
	require.Equal(d, d.total, counted, "the engine's counter is held against it")
	if !d.down && !slices.ContainsFunc(numbers, func(n int) bool { return d.bad[n] }) {
		d.delivered = append(d.delivered, numbers...)
		d.noteTried(d.l.Deliver(d.l.pushed))
		return true
	}
	record, tried := d.l.refuse("an output dropped records")
	switch {
	case tried:
		d.tried = append(d.tried, "refused")
	case record != nil:
		if !d.full {
			d.kept = append(d.kept, numbersOf(record)...)
		}
		d.l.keepAside(!d.full)
	}
	return true
}

func (d *refusing) noteTried(record []byte) {
	if record != nil {
		d.tried = append(d.tried, "delivered")
	}
}

// calls lets so many seconds pass, with a collect call each, and returns what is safe.
func (d *refusing) calls(seconds int) uint32 {
	for range seconds {
		time.Sleep(time.Second)
		d.call()
	}
	return safeNow(d.l)
}

// refuseFirst has the first batch refused and fetched again, as the collector does.
func (d *refusing) refuseFirst(n int) {
	d.push(0, n)
	require.True(d, d.call())
	require.Equal(d, "an output dropped records", doubtNow(d.l))
	require.Nil(d, d.l.Next(), "nothing is handed over in doubt")
	d.l.Reset()
	require.Empty(d, doubtNow(d.l))
	d.push(0, n)
}

func TestARefusedRecordIsFoundKeptAndPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t, 5)
		d.refuseFirst(8)
		d.calls(60)
		require.Equal(t, []int{5}, d.kept)
		slices.Sort(d.delivered)
		require.Equal(t, []int{0, 1, 2, 3, 4, 6, 7}, d.delivered, "each once")
		require.EqualValues(t, 2, safeNow(d.l))
		require.Equal(t, []int{8, 8, 4, 4}, d.parts[:4], "by halves")
		require.True(t, d.l.careful.on, "a batch was being filled when it was refused")
		d.push(8, 1)
		d.calls(2)
		require.False(t, d.l.careful.on, "there is no reason for care any more")
		require.True(t, d.l.idle())
		for n := range 3 {
			d.push(100*(n+1), 50)
			require.True(t, d.call(), "as ever, one a collect call")
		}
		require.EqualValues(t, 6, safeNow(d.l))
	})
}

// What was pushed and not safe when something was refused is handed over with care, and nothing else.
func TestAllThatWasInDoubtIsHandedOverWithCare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t)
		for n := range 5 {
			d.push(10*n, 1)
			require.NotNil(t, d.l.Next())
			d.l.Accept()
			d.total++
			if n < 2 {
				d.l.Deliver(d.l.pushed)
			}
		}
		record, tried := d.l.refuse("an output dropped records")
		require.Nil(t, record)
		require.False(t, tried)
		require.Equal(t, 4, d.l.careful.left, "three, and the one that is being filled")
		d.l.Reset()
		for n := range 4 {
			require.True(t, d.l.careful.on, n)
			d.push(10*n, 1)
			d.calls(2)
		}
		require.False(t, d.l.careful.on)
		require.Equal(t, []int{0, 10, 20, 30}, d.delivered)
	})
}

// A part is with the engine alone, so that what is dropped is this part's.
func TestOnePartAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t, 3)
		d.refuseFirst(4)
		require.Nil(t, d.l.Next(), "what came before may still be in the engine")
		d.l.Deliver(0)
		require.NotNil(t, d.l.Next())
		require.False(t, d.l.Room(), "the engine reads it")
		d.l.Accept()
		since := d.l.handed().since
		require.Equal(t, time.Now(), since, "it is watched")
		require.Nil(t, d.l.Next(), "nobody knows yet what became of it")
		time.Sleep(time.Minute)
		require.Nil(t, d.l.Next())
		require.False(t, d.l.allStored(), "parts are not looked for")
		d.l.refuse("an output dropped records")
		d.l.Deliver(0)
		require.Len(t, numbersOf(d.l.Next()), 2, "half of it")
		d.l.Accept()
		d.l.Deliver(0)
		since = d.l.handed().since
		require.True(t, since.IsZero(), "nothing is on its way")
		require.Len(t, numbersOf(d.l.Next()), 2, "the other half, without a pause")
	})
}

// A destination that refuses everything must not be asked again and again.
func TestThePauseGrowsWhileEverythingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t)
		d.down = true
		d.refuseFirst(4)
		d.calls(3600)
		require.Empty(t, d.kept, "no record in particular")
		require.Less(t, len(d.parts), 40, "in an hour")
		require.Greater(t, len(d.parts), 8, "but it is asked again")
		require.EqualValues(t, 1, d.l.careful.sift.done, "what is fetched again")
		d.down = false
		d.calls(1200)
		require.EqualValues(t, 2, safeNow(d.l))
		slices.Sort(d.delivered)
		require.Len(t, slices.Compact(d.delivered), 4)
	})
}

// What is refused and cannot be kept holds the checkpoint, and nothing else; it can be kept later.
func TestARecordThatCannotBeKeptIsKeptLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t, 2)
		d.full = true
		d.refuseFirst(4)
		safe := d.calls(60)
		require.Equal(t, []int{0, 1, 3}, d.delivered)
		d.push(10, 1)
		require.Equal(t, safe, d.calls(10), "it holds the checkpoint")
		require.Contains(t, d.delivered, 10)
		require.Equal(t, []int{2}, numbersOf(d.l.unkept()))
		d.l.keptLater()
		require.Nil(t, d.l.unkept())
		require.EqualValues(t, 3, safeNow(d.l))
		d.l.keptLater()
		require.EqualValues(t, 3, safeNow(d.l), "once")
	})
}

// An output that takes nothing must not stop the others for ever.
func TestCareEndsAfterAWhile(t *testing.T) {
	for name, refusedFirst := range map[string]bool{"the whole batch": false, "half of it": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newRefusing(t, 7)
				d.refuseFirst(8)
				d.l.Deliver(0)
				require.NotNil(t, d.l.Next())
				d.l.Accept()
				if refusedFirst {
					d.l.refuse("an output dropped records")
					d.l.Deliver(0)
					require.Len(t, numbersOf(d.l.Next()), 4)
					d.l.Accept()
				}
				time.Sleep(careLimit - time.Millisecond)
				require.Nil(t, d.l.Next())
				require.True(t, d.l.careful.on)
				time.Sleep(time.Millisecond)
				require.Nil(t, d.l.Next())
				require.False(t, d.l.careful.on)
				number, since := d.l.handed().number, d.l.handed().since
				require.Equal(t, time.Now(), since, "the part is still with the engine")
				if refusedFirst {
					require.Zero(t, number, "the other half is not")
					require.Equal(t, []int{4, 5, 6, 7}, numbersOf(d.l.Next()))
					d.l.Accept()
				}
				number = d.l.handed().number
				require.EqualValues(t, 2, number)
				d.l.Deliver(number)
				require.EqualValues(t, 2, safeNow(d.l))
			})
		})
	}
}

// What came before a part may never leave the engine.
func TestCareEndsAlsoWhenTheEngineDoesNotDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t, 3)
		d.refuseFirst(4)
		time.Sleep(careLimit)
		require.Nil(t, d.l.Next())
		since := d.l.handed().since
		require.True(t, since.IsZero(), "nothing of what is not safe is with the engine")
		require.Len(t, numbersOf(d.l.Next()), 4)

		d = newRefusing(t, 3)
		d.refuseFirst(4)
		d.l.Deliver(0)
		d.call() // refused
		time.Sleep(careLimit)
		require.Nil(t, d.l.Next())
		since = d.l.handed().since
		require.False(t, since.IsZero(), "it is watched until it is drained")
		require.Equal(t, []int{0, 1}, numbersOf(d.l.Next()))
	})
}

// A kept record is tried again alone: what is dropped then is this record.
func TestAKeptRecordIsTriedWhenNothingElseIsOnItsWay(t *testing.T) {
	for _, outcome := range []string{"refused", "delivered"} {
		synctest.Test(t, func(t *testing.T) {
			d := newRefusing(t, 5)
			if outcome == "delivered" {
				clear(d.bad)
			}
			d.l.try(records(5, 1))
			require.False(t, d.l.idle())
			require.Equal(t, 3, d.l.nextSize())
			d.push(10, 1)
			require.True(t, d.call())
			require.Equal(t, []int{1}, d.parts)
			require.Equal(t, []string{outcome}, d.tried)
			d.calls(5)
			require.Contains(t, d.delivered, 10)
			require.EqualValues(t, 1, safeNow(d.l))
			require.True(t, d.l.idle())
		})
	}
}

// What is on its way, in doubt or being copied may be what is dropped next.
func TestWhenALedgerIsIdle(t *testing.T) {
	for name, step := range map[string]func(l *Ledger){
		"being copied": func(l *Ledger) { l.Push(records(0, 1), 1, ""); l.Next() },
		"accepted":     func(l *Ledger) { l.Push(records(0, 1), 1, ""); l.Next(); l.Accept() },
		"in doubt":     func(l *Ledger) { l.doubtful("something was dropped") },
		"careful":      func(l *Ledger) { l.refuse("something was dropped"); l.Reset() },
	} {
		l := NewLedger(OnDelivery, 1000)
		require.True(t, l.idle())
		step(l)
		require.False(t, l.idle(), name)
		l.try(records(5, 1))
		require.Nil(t, l.careful.trial, name)
	}
}

// Drops of what came before the part are none of its own, but they show that the engine is not empty yet.
func TestDropsOfWhatCameBeforeAreNotThePartsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRefusing(t, 0)
		d.refuseFirst(2)
		time.Sleep(careLimit - time.Second)
		record, tried := d.l.refuse("an output dropped records")
		require.Nil(t, record)
		require.False(t, tried)
		require.Empty(t, doubtNow(d.l), "all of it is to be handed over anyway")
		time.Sleep(careLimit - time.Second)
		require.Nil(t, d.l.Next())
		require.True(t, d.l.careful.on, "the wait begins anew")
	})
}
