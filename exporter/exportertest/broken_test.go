package exportertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBroken(t *testing.T) {
	events := fiveEvents()
	for i := range events {
		events[i].SourceClient = []string{"", "", "x", "ab", "console"}[i]
	}
	const head = "event_id,source_client\n"
	one := []Event{at("1", -time.Minute)}
	for name, c := range map[string]struct {
		answers Answers
		events  []Event
		want    string
	}{
		"behind a row":   {Answers{Broken: Broken{At: BehindRow}}, events, head + "1,\n2,\n"},
		"inside a field": {Answers{Broken: Broken{At: InsideField}}, events, head + "1,\n2,\n4,a"},
		"inside a field, CRLF": {
			Answers{CRLF: true, Broken: Broken{At: InsideField}},
			events,
			"event_id,source_client\r\n1,\r\n2,\r\n4,a",
		},
		"inside a field, quoted": {
			Answers{QuoteAll: true, Broken: Broken{At: InsideField}},
			events[3:],
			"\"event_id\",\"source_client\"\n\"4\",\"ab\"\n\"5\",\"con",
		},
		"no field with an inside": {Answers{Broken: Broken{At: InsideField}}, events[:2], head + "1,\n"},
		"error": {
			Answers{Broken: Broken{At: BehindRow, Text: ErrorBehind}}, events, head + "1,\n2,\n" + ErrorBehind,
		},
		"error in a field": {
			Answers{Broken: Broken{At: InsideField, Text: ErrorBehind}}, events, head + "1,\n2,\n4,a" + ErrorBehind,
		},
		"page":       {Answers{Broken: Broken{At: BehindRow, Text: PageBehind}}, events, head + "1,\n2,\n" + PageBehind},
		"text":       {Answers{Broken: Broken{At: BehindRow, Text: TextBehind}}, events, head + "1,\n2,\n" + TextBehind},
		"of one row": {Answers{Broken: Broken{At: BehindRow, Text: TextBehind}}, one, head + TextBehind},
		"of nothing": {Answers{Broken: Broken{At: BehindRow, Text: TextBehind}}, nil, head},
		"JSON string, well-formed": {
			Answers{JSONString: true, Broken: Broken{At: BehindRow, Text: "x\"\n"}},
			events,
			`"event_id,source_client\n1,\n2,\nx\"\n"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns, c.answers.ContentLength = []string{"event_id", "source_client"}, true
			response, text := read(t, newServer(c.answers, c.events...), nil, nil)
			assert.Equal(t, c.want, text)
			assert.EqualValues(t, len(c.want), response.ContentLength, "a right length")
		})
	}
}

// Half of many rows are half of them, whatever is written at once.
func TestBrokenOfManyRows(t *testing.T) {
	s := newServer(Answers{Broken: Broken{At: BehindRow}}, Generate(1, 1000, now.Add(-time.Hour), now)...)
	assert.Len(t, ids(t, body(t, s)), 500)
	assert.Equal(t, 500, s.Requests()[0].Rows)
}

// Once, some times, and always.
func TestBrokenHowOften(t *testing.T) {
	s := newServer(Answers{Columns: []string{"event_id"}}, fiveEvents()...)
	broken := Fault{Change: func(a *Answers) { a.Broken = Broken{At: BehindRow, Text: TextBehind} }}
	half, whole := "event_id\n1\n2\n"+TextBehind, "event_id\n1\n2\n3\n4\n5\n"
	s.Fail(broken.Times(2)...)
	for _, want := range []string{half, half, whole, whole} {
		assert.Equal(t, want, body(t, s))
	}
	assert.Equal(t, "change", s.Requests()[0].Fault)
	assert.Empty(t, s.Requests()[2].Fault)
	s.SetAnswers(func(a *Answers) { a.Fault = Fault{Name: "always", Status: 503} })
	assert.Equal(t, "503 INTERNAL_SERVER_ERROR", refusalOf(t, s, nil, nil))
	assert.Equal(t, "always", last(s).Fault)
	response, _ := counted(t, s, nil)
	assert.Equal(t, 200, response.StatusCode, "of exports only")
	s.SetAnswers(func(a *Answers) { a.Fault = Fault{} })
	s.SetAnswers(broken.Change)
	for range 3 {
		assert.Equal(t, half, body(t, s))
	}
}
