package whole

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// Parts that lack what the whole had are cut off like it: that they have nothing new proves nothing (simulation, seed
// 201223).
func TestPartsThatLackWhatTheWholeHadProveNothing(t *testing.T) {
	begin := windowsBegin
	times := []time.Time{begin.Add(5 * time.Minute)} // the one on the other side of the middle
	for i := range 27 {
		times = append(times, begin.Add(time.Duration(i)*time.Millisecond))
	}
	for _, share := range []float64{0.4, 0.54, 1} {
		read := func(w plan.Window, union *Union) (got Reading, err error) {
			var rows []int
			for i := len(times) - 1; i >= 0; i-- {
				if !times[i].Before(w.Start) && !times[i].After(w.End) {
					rows = append(rows, i)
				}
			}
			var n News
			rows = rows[:int(share*float64(len(rows)))]
			for _, i := range rows {
				row := event.Row{Time: times[i]}
				if i == 27 { // which tells another time than it is filed under, so that the middle is not among the others
					row.Time = begin.Add(4 * time.Minute)
				}
				got.Add([]event.Row{row}, w)
				n.Note(&row, 0, Mark(union, &row, dedup.Identity{ID: uint64(i) + 1}))
			}
			n.End(&got)
			return got, nil
		}
		w := plan.Window{Start: begin.Add(-time.Minute), End: begin.Add(6 * time.Minute)}
		p := plan.New(plan.Limits{Overlap: time.Minute, MaxWindow: time.Hour}, begin, begin)
		l := RowLimit{Cut: p.Cut}
		got, _ := read(w, nil)
		verdict, _, err := l.Examine(w, got, read)
		require.NoError(t, err)
		if share == 1 {
			require.Equal(t, Honest, verdict)
		} else {
			require.NotEqual(t, Honest, verdict, "cut at %v of its rows", share)
		}
	}
}

// A text behind half of the rows hides the second of two events of one second, however the window is cut; a footer
// that comes each time hides nothing (simulation, seed 402888).
func TestAnEndThatHidesTheOtherEventOfASecondIsNotBelieved(t *testing.T) {
	second := windowsBegin.Add(5 * time.Minute)
	for name, test := range map[string]struct {
		times []time.Duration
		share float64
		want  Verdict
	}{
		"text behind half": {[]time.Duration{851 * time.Millisecond, 900 * time.Millisecond}, 0.5, Undecided},
		"footer":           {[]time.Duration{851 * time.Millisecond}, 1, Honest},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(w plan.Window, union *Union) (got Reading, err error) {
				var inside []int
				for i, after := range test.times {
					if at := second.Add(after); !at.Before(w.Start) && !at.After(w.End) {
						inside = append(inside, i)
					}
				}
				var n News
				note := func(row event.Row, id uint64) {
					got.Add([]event.Row{row}, w)
					n.Note(&row, 0, Mark(union, &row, dedup.Identity{ID: id}))
				}
				for _, i := range inside[:int(test.share*float64(len(inside)))] {
					note(event.Row{Time: second.Add(test.times[i])}, uint64(i)+2)
				}
				note(event.Row{Time: w.End, Bad: "has 1 of 12 fields"}, 1)
				got.Framed, got.ended = true, true
				n.End(&got)
				return got, nil
			}
			w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(10 * time.Minute)}
			l := RowLimit{Cut: plan.New(plan.Limits{Overlap: time.Minute, MaxWindow: time.Hour}, w.Start, w.Start).Cut}
			got, _ := read(w, nil)
			verdict, _, err := l.Examine(w, got, read)
			require.NoError(t, err)
			require.Equal(t, test.want, verdict)
		})
	}
}

// Rows that cannot be read and have all their fields are events: parts that lack them are cut off as well (simulation,
// seed 6013359). Lines that may be a footer's prove nothing.
func TestPartsThatLackBadRowsProveNothing(t *testing.T) {
	columns, _ := event.NewColumns([]string{"event_id", "event_time", "action_name"})
	second := windowsBegin.Add(5 * time.Minute)
	w := plan.Window{Start: windowsBegin, End: second.Add(500 * time.Millisecond)}
	for fields, want := range map[int]Verdict{3: Undecided, 1: Honest} {
		read := func(part plan.Window, union *Union) (got Reading, err error) {
			var inside []int
			for i := range 10 {
				at := second.Add(time.Duration(i) * 30 * time.Millisecond)
				if i == 9 {
					at = second.Add(480 * time.Millisecond)
				}
				if !at.Before(part.Start) && !at.After(part.End) {
					inside = append(inside, i)
				}
			}
			var n News
			note := func(row event.Row, id uint64) {
				got.Add([]event.Row{row}, part)
				n.Note(&row, 0, Mark(union, &row, dedup.Identity{ID: id}))
			}
			for _, i := range inside[:len(inside)/2] { // an error hides the others
				row := event.Row{Time: second.Add(time.Duration(i) * 30 * time.Millisecond), Columns: columns}
				if i > 1 {
					row.Time, row.Bad, row.Fields = part.End, "the year 2999", make([][]byte, fields)
				}
				note(row, uint64(i)+2)
			}
			note(event.Row{Time: part.End, Bad: "has 1 of 3 fields", Columns: columns}, 1)
			got.Framed, got.ended = true, true
			n.End(&got)
			return got, nil
		}
		require.Equal(t, want, examined(t, w, read), fields)
	}
}

// A part that lacks rows that the whole had, or that says that it has not all, proves nothing: what cut the part off
// passes, and what cuts the whole off stays.
func TestAPartThatIsCutOffProvesNothing(t *testing.T) {
	w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(2 * time.Hour)}
	for name, test := range map[string]struct {
		rows int // of the second part
		more bool
		want Verdict
	}{
		"whole":              {130, false, Honest},
		"lacks rows":         {63, false, Undecided},
		"says that it lacks": {130, true, Undecided},
	} {
		l := RowLimit{Cut: plan.New(plan.Limits{Overlap: time.Minute, MaxWindow: time.Hour}, w.Start, w.Start).Cut}
		read := func(part plan.Window, union *Union) (Reading, error) {
			if part == w {
				return Reading{Rows: 256, Framed: true}, nil
			}
			if part.Start.Equal(w.Start) {
				return Reading{Rows: 126, Framed: true}, nil
			}
			return Reading{Rows: test.rows, Framed: true, More: test.more}, nil
		}
		got, _ := read(w, nil)
		verdict, _, err := l.Examine(w, got, read)
		require.NoError(t, err)
		require.Equal(t, test.want, verdict, name)
		got.More = true
		verdict, _, err = l.Examine(w, got, read)
		require.NoError(t, err)
		if test.more {
			require.Equal(t, Honest, verdict, "it says so always")
		}
	}
}

// Rows that cannot be read may stand anywhere: parts of which each ends with one have all the same what the whole had
// (simulation, seed 648).
func TestPartsThatEndWithBadRowsOfTheirOwnAreWhole(t *testing.T) {
	w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(10 * time.Second)}
	rows := []struct {
		after time.Duration
		bad   string
	}{{2 * time.Second, ""}, {8 * time.Second, ""}, {time.Second, "has 13 of 12 fields"}, {9 * time.Second, "too"}}
	read := func(part plan.Window, union *Union) (got Reading, err error) {
		var n News
		for i, r := range rows {
			at := w.Start.Add(r.after)
			if at.Before(part.Start) || at.After(part.End) {
				continue
			}
			row := event.Row{Time: at, Bad: r.bad}
			got.Add([]event.Row{row}, part)
			n.Note(&row, 0, Mark(union, &row, dedup.Identity{ID: uint64(i) + 1}))
		}
		got.Framed, got.ended = true, got.footer
		n.End(&got)
		return got, nil
	}
	require.Equal(t, Honest, examined(t, w, read))
}

// examined is what Examine says of w with a limit that knows nothing.
func examined(t *testing.T, w plan.Window, read ReadPart) Verdict {
	t.Helper()
	l := RowLimit{Cut: plan.New(plan.Limits{Overlap: time.Minute, MaxWindow: time.Hour}, w.Start, w.Start).Cut}
	got, _ := read(w, nil)
	verdict, _, err := l.Examine(w, got, read)
	require.NoError(t, err)
	return verdict
}
