package whole

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// cuttingEndpoint answers with the events of a window in an order, and may leave out what goes beyond so many.
type cuttingEndpoint struct {
	events  []time.Time // oldest first
	most    int
	newest  bool // it leaves out the oldest
	order   func(rows []event.Row)
	seen    map[time.Time]bool
	windows []plan.Window
	rows    int // that it has answered with
}

func (e *cuttingEndpoint) read(w plan.Window, _ *Union) (Reading, error) {
	e.windows = append(e.windows, w)
	from, _ := slices.BinarySearchFunc(e.events, w.Start, time.Time.Compare)
	to, _ := slices.BinarySearchFunc(e.events, w.End.Add(1), time.Time.Compare)
	rows := make([]event.Row, to-from)
	for i, at := range e.events[from:to] {
		rows[i].Time = at
	}
	if over := len(rows) - e.most; over > 0 && e.newest {
		rows = rows[over:]
	} else if over > 0 {
		rows = rows[:e.most]
	}
	e.order(rows)
	got := Reading{Framed: true}
	for _, row := range rows {
		if !e.seen[row.Time] {
			e.seen[row.Time] = true
			got.Fresh++
		}
	}
	got.Add(rows, w)
	e.rows += len(rows)
	return got, nil
}

func oldestFirst([]event.Row) {}

func shuffled(rows []event.Row) {
	rand.New(rand.NewPCG(7, 7)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
}

// spread draws different times within a window, to the second or to the nanosecond. The first and the last second have
// several.
func spread(random *rand.Rand, w plan.Window, n int, grid time.Duration) (times []time.Time) {
	had := map[time.Time]bool{}
	for len(times) < n {
		at := w.Start.Add(time.Duration(random.Int64N(int64(w.End.Sub(w.Start)) + 1))).Truncate(grid)
		if !had[at] {
			had[at] = true
			times = append(times, at)
		}
	}
	for i := range 4 {
		if at := w.Start.Add(time.Duration(i) * grid * 7 / 8); !had[at] {
			had[at] = true
			times = append(times, at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

var sampledDay = plan.Window{Start: windowsBegin, End: windowsBegin.Add(24 * time.Hour)}

// What an endpoint cuts off lies beyond the rows that it answers with. Wherever it cuts, that is seen; of an honest one
// a twentieth of the rows comes twice.
func TestWhatIsCutOffShowsInASample(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		order, grid := oldestFirst, []time.Duration{time.Second, time.Millisecond, time.Nanosecond}[seed%3]
		if seed%2 == 1 {
			order = slices.Reverse[[]event.Row]
		}
		events := spread(random, sampledDay, 2*manyRows, grid)
		for _, lacks := range []int{0, 1, 2, 3, 50, manyRows - 100} {
			for _, newest := range []bool{false, true} {
				e := &cuttingEndpoint{events: events, most: len(events) - lacks, newest: newest, order: order}
				e.seen = map[time.Time]bool{}
				got, _ := e.read(sampledDay, nil)
				require.Equal(t, e.most, got.Rows)
				before := e.rows
				var l RowLimit
				enough, err := l.Sample(sampledDay, got, e.read)
				require.NoError(t, err)
				require.Equal(t, lacks == 0, enough, "seed %d, lacks %d, newest %v", seed, lacks, newest)
				if enough {
					require.Len(t, e.windows, 1+2+mostThin)
					require.Less(t, e.rows-before, len(events)/12, "seed %d", seed)
				}
			}
		}
	}
}

// Of a huge answer no more is read again than shows something, and what lacks a small part is found out.
func TestASampleOfAHugeAnswer(t *testing.T) {
	const rows = 400_000
	events := spread(rand.New(rand.NewPCG(9, 1)), sampledDay, rows, time.Microsecond)
	for lacks, want := range map[int]bool{0: true, rows / 400: false} {
		e := &cuttingEndpoint{most: 2 * rows, order: oldestFirst, seen: map[time.Time]bool{}}
		e.events = slices.Delete(slices.Clone(events), rows/3, rows/3+lacks)
		got, _ := e.read(sampledDay, nil)
		before := e.rows
		e.events = events
		enough, err := new(RowLimit).Sample(sampledDay, got, e.read)
		require.NoError(t, err)
		require.Equal(t, want, enough, lacks)
		require.Less(t, e.rows-before, 12_000, lacks)
	}
}

// An endpoint whose events were all seen before is found out by the number of rows.
func TestWhatWasSeenBeforeIsCountedInASample(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(1, 1)), sampledDay, 2*manyRows, time.Millisecond)
	for _, newest := range []bool{false, true} {
		e := &cuttingEndpoint{events: events, most: manyRows, newest: newest, order: oldestFirst, seen: map[time.Time]bool{}}
		for _, at := range events {
			e.seen[at] = true
		}
		got, _ := e.read(sampledDay, nil)
		enough, err := new(RowLimit).Sample(sampledDay, got, e.read)
		require.NoError(t, err)
		require.False(t, enough)
	}
}

// Where a sample proves too little, an answer is read again as a whole.
func TestWhereASampleProvesTooLittle(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(2, 1)), sampledDay, 2*manyRows, time.Second)
	for name, change := range map[string]func(l *RowLimit, e *cuttingEndpoint, got *Reading){
		"rows in no order": func(_ *RowLimit, e *cuttingEndpoint, got *Reading) {
			e.order = shuffled
			*got, _ = e.read(sampledDay, nil)
		},
		"few rows":             func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.Rows = manyRows - 1 },
		"a limit is known":     func(l *RowLimit, _ *cuttingEndpoint, _ *Reading) { l.Known = 100_000 },
		"limits vary":          func(l *RowLimit, _ *cuttingEndpoint, _ *Reading) { l.Proven.varies = 1 },
		"rows of other times":  func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.inside-- },
		"rows that are broken": func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.bad = 1 },
		"an odd end":           func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.ended = true },
		"no length":            func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.Framed = false },
		"all at once": func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) {
			got.order.marks = got.order.marks[:leastStretches-2]
		},
	} {
		var l RowLimit
		e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
		got, _ := e.read(sampledDay, nil)
		change(&l, e, &got)
		asked := len(e.windows)
		enough, err := l.Sample(sampledDay, got, e.read)
		require.NoError(t, err)
		require.False(t, enough, name)
		require.Len(t, e.windows, asked, name)
	}
}

// The fewest rows, and the shortest time, that a sample is enough for.
func TestTheLeastThatASampleIsEnoughFor(t *testing.T) {
	for seconds, want := range map[int]bool{leastStretches - 2: false, leastStretches - 1: true, 80_000: true} {
		var events []time.Time
		for i := range manyRows {
			events = append(events, sampledDay.Start.Add(time.Hour+time.Duration(i*seconds)*time.Second/(manyRows-1)))
		}
		e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
		got, _ := e.read(sampledDay, nil)
		enough, err := new(RowLimit).Sample(sampledDay, got, e.read)
		require.NoError(t, err)
		require.Equal(t, want, enough, seconds)
	}
}

// Parts that lack rows of the answer, or say that they lack some, prove nothing.
func TestPartsThatLackRowsThemselvesProveNothing(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(3, 1)), sampledDay, 2*manyRows, time.Second)
	for name, spoil := range map[string]func(*Reading){
		"fewer rows": func(part *Reading) { part.Rows = 0 },
		"more":       func(part *Reading) { part.More = true },
	} {
		for spoiled := range 2 {
			e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
			got, _ := e.read(sampledDay, nil)
			part := 0
			enough, err := new(RowLimit).Sample(sampledDay, got, func(w plan.Window, union *Union) (Reading, error) {
				got, err := e.read(w, union)
				if part == spoiled {
					spoil(&got)
				}
				part++
				return got, err
			})
			require.NoError(t, err)
			require.False(t, enough, name)
		}
	}
}

// Whatever the order and the clock, each stretch has the rows that it is said to have, whether an endpoint takes the
// ends of a window for a part of it or not.
func TestStretchesHoldTheirRows(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 3))
		grid := []time.Duration{time.Second, 250 * time.Millisecond, time.Nanosecond}[seed%3]
		long := time.Duration(1+random.IntN(5)) * []time.Duration{time.Minute, time.Hour, 24 * time.Hour}[random.IntN(3)]
		w := plan.Window{Start: sampledDay.Start.Add(time.Duration(random.IntN(3)) * time.Millisecond)}
		w.End = w.Start.Add(long)
		times := make([]time.Time, 1+random.IntN(20_000))
		for i := range times {
			share := random.Float64()
			times[i] = w.Start.Add(time.Duration(share * share * float64(long))).Truncate(grid)
			if times[i].Before(w.Start) || random.IntN(9) == 0 && i > 0 {
				times[i] = times[max(i-1, 0)]
			}
			if times[i].Before(w.Start) {
				times[i] = w.End
			}
		}
		slices.SortFunc(times, time.Time.Compare)
		if seed%2 == 1 {
			slices.Reverse(times)
		}
		var o order
		for _, at := range times {
			o.add(at.Unix(), at.Nanosecond())
		}
		require.False(t, o.rising && o.falling)
		begin, list := w.Start, o.stretches(w)
		for i, s := range list {
			require.Equal(t, begin, s.w.Start)
			require.True(t, s.w.End.After(s.w.Start), "seed %d", seed)
			begin = s.w.End
			with, without := 0, 0
			for _, at := range times {
				if !at.Before(s.w.Start) && !at.After(s.w.End) {
					with++
				}
				if (i == 0 || at.After(s.w.Start)) && (i == len(list)-1 || at.Before(s.w.End)) {
					without++
				}
			}
			require.Equal(t, s.most, with, "seed %d, stretch %d of %d", seed, i, len(list))
			require.Equal(t, s.least, without, "seed %d, stretch %d of %d", seed, i, len(list))
		}
		require.Equal(t, w.End, begin)
	}
}
