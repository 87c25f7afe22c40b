package whole

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// honestEndpoint answers with everything, and counts.
type honestEndpoint struct {
	events   []time.Time
	requests int
}

func (e *honestEndpoint) read(w plan.Window, union *Union) (Reading, error) {
	e.requests++
	from, _ := slices.BinarySearchFunc(e.events, w.Start, time.Time.Compare)
	to, _ := slices.BinarySearchFunc(e.events, w.End.Add(1), time.Time.Compare)
	got := Reading{Rows: to - from, inside: to - from, Framed: true, Bytes: e.size(to - from)}
	for _, at := range e.events[from:to] {
		got.sum += at.Sub(w.Start).Seconds()
		got.Other += Mark(union, &event.Row{Time: at}, dedup.Identity{ID: uint64(at.UnixNano()) * 0x9e3779b97f4a7c15})
	}
	return got, nil
}

// size is what so many rows take, which differ in length.
func (e *honestEndpoint) size(rows int) int64 {
	size := int64(200 * rows)
	return size + int64(float64(e.requests%7-3)*8*math.Sqrt(float64(rows)))
}

// eventsOf draws the events of a month; rate is how many a minute at a minute of it.
func eventsOf(from time.Time, rate func(minute int) float64) (events []time.Time) {
	random := rand.New(rand.NewPCG(1, 2))
	for minute := range 30 * 24 * 60 {
		mean, n := rate(minute), 0
		for t := random.ExpFloat64(); t < mean; t += random.ExpFloat64() {
			n++
		}
		for range n {
			events = append(events, from.Add(time.Duration(minute)*time.Minute+time.Duration(random.Int64N(6e10))))
		}
	}
	slices.SortFunc(events, time.Time.Compare)
	return events
}

// A month of polls every minute, each of the last ten minutes and one, at an honest endpoint: at most 2 % more
// requests, however much happens.
func TestAnHonestEndpointIsAskedHardlyMore(t *testing.T) {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	office := func(most float64) func(int) float64 {
		return func(minute int) float64 {
			if hour, weekday := minute/60%24, minute/1440%7; hour < 8 || hour > 18 || weekday > 4 {
				return most / 20
			}
			return most
		}
	}
	worst := 0.0
	for name, rate := range map[string]func(int) float64{
		"quiet": func(int) float64 { return 0.1 }, "steady 5": func(int) float64 { return 5 },
		"steady 20": func(int) float64 { return 20 }, "steady 100": func(int) float64 { return 100 },
		"office 10": office(10), "office 50": office(50), "office 200": office(200),
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.New(plan.Limits{Overlap: 10 * time.Minute, MaxWindow: 24 * time.Hour}, from, from)
			l := RowLimit{Cut: p.Cut}
			e := &honestEndpoint{events: eventsOf(from, rate)}
			polls := 0
			for at := from.Add(time.Minute); at.Before(from.Add(30 * 24 * time.Hour)); at = at.Add(time.Minute) {
				w := plan.Window{Start: plan.Later(from, at.Add(-11*time.Minute)), End: at}
				polls++
				got, _ := e.read(w, nil)
				if l.Judge(&l.Polls, w, got) == Unsuspected {
					continue
				}
				verdict, _, err := l.Examine(w, got, e.read)
				require.NoError(t, err)
				require.Equal(t, Honest, verdict)
				l.Polls.Honest(got.Rows)
				l.Proven.Honest(got)
			}
			share := float64(e.requests-polls) / float64(polls)
			worst = max(worst, share)
			require.LessOrEqual(t, share, 0.02, "%d requests instead of %d", e.requests, polls)
		})
	}
	t.Logf("at worst %.2f %% more requests", 100*worst)
	require.NotZero(t, worst, "nothing was ever suspect")
}

// What makes an answer suspect, and what does not.
func TestAnswersThatLookCutOff(t *testing.T) {
	minute := func(n int) plan.Window {
		start := windowsBegin.Add(time.Duration(n) * time.Minute)
		return plan.Window{Start: start, End: start.Add(time.Minute)}
	}
	for name, c := range map[string]struct {
		known  int
		rows   []int // of one window after the other
		more   bool
		footer bool
		want   Suspicion // of the last
	}{
		"few, again":                  {rows: []int{49, 49}},
		"again":                       {rows: []int{57, 57}, want: Repeated},
		"again, after fewer":          {rows: []int{57, 56, 57}, want: Repeated},
		"again, after more":           {rows: []int{57, 58, 57}},
		"a hundred":                   {rows: []int{100}, want: Round},
		"hundreds":                    {rows: []int{99_900}, want: Round},
		"a power of two":              {rows: []int{512}, want: Round},
		"64":                          {rows: []int{64}},
		"a hundred and one":           {rows: []int{101}},
		"a hundred and a footer":      {rows: []int{101}, footer: true, want: Round},
		"a header":                    {rows: []int{3}, more: true, want: Promised},
		"as many as the limit":        {known: 30, rows: []int{30}, want: AtLimit},
		"more than the limit":         {known: 30, rows: []int{31}, want: AtLimit},
		"less than the limit":         {known: 300, rows: []int{299}},
		"as many as a limit of above": {known: 300, rows: []int{200}, want: Round},
	} {
		l := RowLimit{Known: c.known}
		l.Proven.Honest(Reading{Rows: 1e6})
		var got Suspicion
		for i, rows := range c.rows {
			got = l.Judge(&l.Polls, minute(i), Reading{Rows: rows, More: c.more, footer: c.footer})
		}
		require.Equal(t, c.want, got, name)
	}
	l := RowLimit{vain: mostVain}
	require.Equal(t, Unsuspected, l.Judge(&l.Polls, minute(1), Reading{Rows: 3, More: true}))
	require.Equal(t, Promised, l.Judge(&l.Polls, minute(1), Reading{Rows: 3, Part: true}), "it says what it is")
	var counts RowCounts
	require.False(t, counts.add(minute(1), Reading{Rows: 57}))
	require.False(t, counts.add(minute(1), Reading{Rows: 57}), "the same window, asked for again")
	require.True(t, counts.add(minute(2), Reading{Rows: 57}))
	counts.Honest(57)
	for n := range firstWait - 1 {
		require.False(t, counts.add(minute(3+n), Reading{Rows: 57}), "it was shown to be honest")
	}
}

// The fewest rows that are suspect when they come again, and the first number that was shown to be honest.
func TestTheLeastThatIsCounted(t *testing.T) {
	at := func(n int) plan.Window {
		start := windowsBegin.Add(time.Duration(n) * time.Minute)
		return plan.Window{Start: start, End: start.Add(time.Minute)}
	}
	var counts RowCounts
	require.False(t, counts.add(at(1), Reading{Rows: LeastLimit}))
	require.True(t, counts.add(at(2), Reading{Rows: LeastLimit}))
	require.True(t, counts.of(100).fresh())
	counts.Honest(100)
	require.Equal(t, firstWait, counts.of(100).wait)
	require.False(t, counts.of(100).fresh(), "a round number is not suspect by that alone again")
	p := Proven{varies: firstVarying}
	require.False(t, p.Varying(), "the first limit that was found")
}

// Events that appear while a window is read in parts teach no limit.
func TestEventsThatAppearMeanwhileTeachNoLimit(t *testing.T) {
	from := windowsBegin
	p := plan.New(plan.Limits{MaxWindow: time.Hour}, from, from)
	for name, appear := range map[string]func(request int) int{
		"with each request": func(int) int { return 3 },
		"with the second":   func(request int) int { return map[int]int{2: 1}[request] },
		"with the third":    func(request int) int { return map[int]int{3: 1}[request] },
	} {
		l, e := RowLimit{Cut: p.Cut}, &honestEndpoint{}
		for n := range 200 {
			e.events = append(e.events, from.Add(time.Duration(n)*time.Second))
		}
		w, requests := plan.Window{Start: from, End: from.Add(time.Hour)}, 0
		read := func(w plan.Window, union *Union) (Reading, error) {
			requests++
			for range appear(requests) {
				e.events = append(e.events, from.Add(30*time.Minute+time.Duration(len(e.events))*time.Second))
			}
			return e.read(w, union)
		}
		got, _ := read(w, nil)
		verdict, _, err := l.Examine(w, got, read)
		require.NoError(t, err)
		require.Equal(t, Grown, verdict, name)
	}
}

// A limit that the endpoint has answered beyond for a while is none any more; one with as many rows upholds it.
func TestALimitThatIsOutgrownIsForgotten(t *testing.T) {
	l := RowLimit{Known: 100}
	beyond := func() {
		for range mostBeyond - 1 {
			require.False(t, l.Outgrown(101))
			require.False(t, l.Outgrown(50), "says nothing")
		}
	}
	beyond()
	require.False(t, l.Outgrown(100), "upholds it")
	beyond()
	require.Equal(t, 100, l.Known)
	require.True(t, l.Outgrown(101))
	require.Zero(t, l.Known)
	require.False(t, l.Outgrown(101))
}

// An endpoint that answers the same to every window is found out in as many steps as it takes to halve it.
func TestAnEndpointThatIgnoresWindowsIsExaminedInFewSteps(t *testing.T) {
	from, requests := windowsBegin, 0
	p := plan.New(plan.Limits{MaxWindow: 30 * 24 * time.Hour}, from, from)
	l := RowLimit{Cut: p.Cut}
	read := func(plan.Window, *Union) (Reading, error) {
		requests++
		return Reading{Rows: 100, Framed: true}, nil
	}
	month := plan.Window{Start: from, End: from.Add(30 * 24 * time.Hour)}
	verdict, _, err := l.Examine(month, Reading{Rows: 100, Framed: true}, read)
	require.NoError(t, err)
	require.Equal(t, Indivisible, verdict)
	require.LessOrEqual(t, requests, 200)
}

// An answer that is larger than all that were shown to be whole is suspect: always if it is much larger or the endpoint
// is known to leave rows out, otherwise now and then.
func TestAnAnswerThatIsLargerThanAllBeforeIsSuspect(t *testing.T) {
	var p Proven
	answer := func(rows int, bytes int64) Reading { return Reading{Rows: rows, Bytes: bytes, inside: rows} }
	require.False(t, p.larger(Reading{Rows: 1000, inside: 499}, true, false), "the window is ignored")
	require.False(t, p.larger(answer(LeastLimit-1, 0), true, false), "few")
	require.True(t, p.larger(answer(1000, 100_000), false, false))
	p.Honest(Reading{Rows: 1000, Bytes: 100_000})
	require.False(t, p.larger(answer(1000, 100_000), true, false))
	require.True(t, p.larger(answer(1251, 1), false, false))
	require.True(t, p.larger(answer(100, 125_001), false, false))
	require.True(t, p.larger(answer(100, 100_001), true, false))
	suspect := 0
	for range 10 * answersPerLarger {
		if p.larger(answer(1001, 0), false, false) {
			suspect++
		}
	}
	require.Equal(t, firstLarger+10, suspect)
	p.cut(false)
	require.True(t, p.larger(answer(800, 80_000), true, false), "what was shown before counts no more")
	p.Honest(Reading{Rows: 800, Bytes: 80_000})
	p.cut(true)
	for range mostVarying {
		require.True(t, p.larger(answer(leastTaught, 0), true, false), "limits vary")
		p.Honest(Reading{Rows: 500})
	}
	require.False(t, p.larger(answer(leastTaught, 0), true, false))
}
