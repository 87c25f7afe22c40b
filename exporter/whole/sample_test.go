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

var edgesDay = plan.Window{Start: windowsBegin, End: windowsBegin.Add(24 * time.Hour)}

// What an endpoint cuts off lies beyond the rows that it answers with. Wherever it cuts, that is seen; from an honest
// one hardly a row comes twice.
func TestWhatIsCutOffLiesBeyondTheRows(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		order, grid := oldestFirst, []time.Duration{time.Second, time.Millisecond, time.Nanosecond}[seed%3]
		if seed%2 == 1 {
			order = slices.Reverse[[]event.Row]
		}
		events := spread(random, edgesDay, 2*manyRows, grid)
		for _, lacks := range []int{0, 1, 2, 3, 50, manyRows - 100} {
			for _, newest := range []bool{false, true} {
				e := &cuttingEndpoint{events: events, most: len(events) - lacks, newest: newest, order: order}
				e.seen = map[time.Time]bool{}
				got, _ := e.read(edgesDay, nil)
				require.Equal(t, e.most, got.Rows)
				before := e.rows
				var l RowLimit
				nothing, err := l.NothingBeyond(edgesDay, got, e.read)
				require.NoError(t, err)
				require.Equal(t, lacks == 0, nothing, "seed %d, lacks %d, newest %v", seed, lacks, newest)
				if nothing {
					require.Len(t, e.windows, 3)
					require.Less(t, e.rows-before, 40, "seed %d", seed)
				}
			}
		}
	}
}

// What edges count, of rows at so many milliseconds: the first second and the last, rows at the first, those of them at
// its begin, rows at the begin of the next, rows in the second before the last, and at the last.
func TestEdgesOfRows(t *testing.T) {
	for name, c := range map[string]struct {
		rows  []int64
		want  [7]int
		order string
	}{
		"one":                    {[]int64{5000}, [...]int{5, 5, 1, 1, 0, 0, 1}, "none"},
		"the same":               {[]int64{5000, 5000}, [...]int{5, 5, 2, 2, 0, 0, 2}, "none"},
		"with a fraction":        {[]int64{5001, 5001}, [...]int{5, 5, 2, 0, 0, 0, 2}, "none"},
		"rising in a second":     {[]int64{5000, 5001}, [...]int{5, 5, 2, 1, 0, 0, 2}, "rising"},
		"falling in a second":    {[]int64{5001, 5000}, [...]int{5, 5, 2, 1, 0, 0, 2}, "falling"},
		"rising to the next":     {[]int64{5900, 6000, 6100}, [...]int{5, 6, 1, 0, 1, 1, 2}, "rising"},
		"falling from the next":  {[]int64{6100, 6000, 5900}, [...]int{5, 6, 1, 0, 1, 1, 2}, "falling"},
		"rising by two seconds":  {[]int64{5000, 7000, 7500}, [...]int{5, 7, 1, 1, 0, 0, 2}, "rising"},
		"falling by two seconds": {[]int64{7500, 7000, 5000}, [...]int{5, 7, 1, 1, 0, 0, 2}, "falling"},
		"on and on, rising":      {[]int64{5000, 6000, 7000, 8000}, [...]int{5, 8, 1, 1, 1, 1, 1}, "rising"},
		"on and on, falling":     {[]int64{8000, 7000, 6000, 5000}, [...]int{5, 8, 1, 1, 1, 1, 1}, "falling"},
		"there and back":         {[]int64{5000, 9000, 7000}, [...]int{5, 9, 1, 1, 0, 0, 1}, "both"},
	} {
		var e edges
		for _, milli := range c.rows {
			e.add(milli/1000, int(milli%1000)*1_000_000)
		}
		require.Equal(t, c.want, [...]int{int(e.first), int(e.last), e.atFirst, e.whole, e.behind, e.before, e.atLast}, name)
		require.Equal(t, c.order == "rising" || c.order == "both", e.rising, name)
		require.Equal(t, c.order == "falling" || c.order == "both", e.falling, name)
	}
}

// An endpoint whose events were all seen before is found out by the number of rows.
func TestWhatWasSeenBeforeIsCountedAtTheEdges(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(1, 1)), edgesDay, 2*manyRows, time.Millisecond)
	for _, newest := range []bool{false, true} {
		e := &cuttingEndpoint{events: events, most: manyRows, newest: newest, order: oldestFirst, seen: map[time.Time]bool{}}
		for _, at := range events {
			e.seen[at] = true
		}
		got, _ := e.read(edgesDay, nil)
		nothing, err := new(RowLimit).NothingBeyond(edgesDay, got, e.read)
		require.NoError(t, err)
		require.False(t, nothing)
	}
}

// Where the edges prove too little, an answer is read again as a whole.
func TestWhereEdgesProveTooLittle(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(2, 1)), edgesDay, 2*manyRows, time.Second)
	for name, change := range map[string]func(l *RowLimit, e *cuttingEndpoint, got *Reading){
		"rows in no order": func(_ *RowLimit, e *cuttingEndpoint, got *Reading) {
			e.order = shuffled
			*got, _ = e.read(edgesDay, nil)
		},
		"few rows":             func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.Rows = manyRows - 1 },
		"a limit is known":     func(l *RowLimit, _ *cuttingEndpoint, _ *Reading) { l.Known = 100_000 },
		"limits vary":          func(l *RowLimit, _ *cuttingEndpoint, _ *Reading) { l.Proven.varies = 1 },
		"rows of other times":  func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.inside-- },
		"rows that are broken": func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.bad = 1 },
		"an odd end":           func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.ended = true },
		"no length":            func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.Framed = false },
		"all at once":          func(_ *RowLimit, _ *cuttingEndpoint, got *Reading) { got.edges.last = got.edges.first + 1 },
	} {
		var l RowLimit
		e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
		got, _ := e.read(edgesDay, nil)
		change(&l, e, &got)
		asked := len(e.windows)
		nothing, err := l.NothingBeyond(edgesDay, got, e.read)
		require.NoError(t, err)
		require.False(t, nothing, name)
		require.Len(t, e.windows, asked, name)
	}
}

// The fewest rows, and the shortest time, that edges are enough for.
func TestTheLeastThatEdgesAreEnoughFor(t *testing.T) {
	day := plan.Window{Start: windowsBegin, End: windowsBegin.Add(24 * time.Hour)}
	for _, seconds := range []int{2, 80_000} {
		var events []time.Time
		for i := range manyRows {
			events = append(events, day.Start.Add(time.Hour+time.Duration(i*seconds)*time.Second/(manyRows-1)))
		}
		e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
		got, _ := e.read(day, nil)
		nothing, err := new(RowLimit).NothingBeyond(day, got, e.read)
		require.NoError(t, err)
		require.True(t, nothing, seconds)
	}
}

// Parts that lack rows of the answer, or say that they lack some, prove nothing.
func TestEdgesThatLackRowsThemselvesProveNothing(t *testing.T) {
	events := spread(rand.New(rand.NewPCG(3, 1)), edgesDay, 2*manyRows, time.Second)
	for name, spoil := range map[string]func(*Reading){
		"fewer rows": func(part *Reading) { part.Rows = 0 },
		"more":       func(part *Reading) { part.More = true },
	} {
		for spoiled := range 2 {
			e := &cuttingEndpoint{events: events, most: len(events), order: oldestFirst, seen: map[time.Time]bool{}}
			got, _ := e.read(edgesDay, nil)
			part := 0
			nothing, err := new(RowLimit).NothingBeyond(edgesDay, got, func(w plan.Window, union *Union) (Reading, error) {
				got, err := e.read(w, union)
				if part == spoiled {
					spoil(&got)
				}
				part++
				return got, err
			})
			require.NoError(t, err)
			require.False(t, nothing, name)
		}
	}
}
