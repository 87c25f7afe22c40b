package exportertest

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRowsThatAreNotAsTheyShouldBe(t *testing.T) {
	events := []Event{at("1", -time.Hour), at("2", -30*time.Minute), at("3", -time.Minute)}
	events[0].UserAgent, events[1].UserAgent = `"evil`, `a "b", c`
	flawed := func(f Flaw) []Event {
		e := at("2", -time.Minute)
		e.Flaw, e.UserAgent = f, "x,y"
		return []Event{at("1", -time.Hour), e}
	}
	for name, c := range map[string]struct {
		answers Answers
		events  []Event
		want    string
	}{
		"CR":         {Answers{CR: true}, events[2:], "event_id,user_agent\r3,\r"},
		"CR, torn":   {Answers{CR: true, Torn: true}, events[2:], "event_id,user_agent\r3,"},
		"quoted":     {Answers{}, events, "event_id,user_agent\n1,\"\"\"evil\"\n2,\"a \"\"b\"\", c\"\n3,\n"},
		"raw quotes": {Answers{RawQuotes: true}, events, "event_id,user_agent\n1,\"evil\n2,\"a \"b\", c\"\n3,\n"},
		"middle line": {
			Answers{MiddleLine: "x"},
			events,
			"event_id,user_agent\n1,\"\"\"evil\"\nx\n2,\"a \"\"b\"\", c\"\n3,\n",
		},
		"total": {Answers{LastLine: "Total,%d"}, events[2:], "event_id,user_agent\n3,\nTotal,1"},
		"total, torn": {
			Answers{LastLine: "Total,%d", CRLF: true},
			events[2:],
			"event_id,user_agent\r\n3,\r\nTotal,1",
		},
		"total of none":       {Answers{LastLine: "Total,%d"}, nil, "event_id,user_agent\nTotal,0"},
		"end of file":         {Answers{LastLine: "\x1a"}, events[2:], "event_id,user_agent\n3,\n\x1a"},
		"a comma too many":    {Answers{}, flawed(ExtraComma), "event_id,user_agent\n1,\n2,\"x,y\",\n"},
		"open quote":          {Answers{}, flawed(OpenQuote), "event_id,user_agent\n1,\n2,\"x,y\n"},
		"open quote, CRLF":    {Answers{CRLF: true}, flawed(OpenQuote), "event_id,user_agent\r\n1,\r\n2,\"x,y\r\n"},
		"open quote, one col": {Answers{Without: []string{"user_agent"}}, flawed(OpenQuote), "event_id\n1\n\"2\n"},
		"one id":              {Answers{SharedID: "None", SharedIDs: 1}, events[2:], "event_id,user_agent\nNone,\n"},
		"an id of its own":    {Answers{SharedID: "None", SharedIDs: 0}, events[2:], "event_id,user_agent\n3,\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = []string{"event_id", "user_agent"}
			assert.Equal(t, c.want, body(t, newServer(c.answers, c.events...)))
		})
	}
}

// About half of the rows share an id, the same ones in each answer.
func TestSharedIDOfHalf(t *testing.T) {
	s := newServer(Answers{SharedID: "None", SharedIDs: 0.5}, Generate(1, 1000, now.Add(-time.Hour), now)...)
	text := body(t, s)
	assert.InDelta(t, 500, strings.Count(text, "\nNone,"), 50)
	assert.Equal(t, text, body(t, s))
}

func TestVolatileColumn(t *testing.T) {
	a := Answers{Columns: []string{"event_id"}, Volatile: "exported_at"}
	s := newServer(a, at("1", -time.Hour), at("2", -time.Minute))
	const one, two = "2026-05-06T07:08:09.123456000Z\n", "2026-05-06T07:08:09.123456001Z\n"
	assert.Equal(t, "event_id,exported_at\n1,"+one+"2,"+one, body(t, s))
	assert.Equal(t, "event_id,exported_at\n1,"+two+"2,"+two, body(t, s), "even when the clock stands still")
}

// Windows are compared with the time that an event is filed under, whatever time its row says.
func TestFiledElsewhere(t *testing.T) {
	dated := at("2100", -time.Hour)
	dated.date(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	first := at("year 1", -2*time.Hour)
	first.date(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	s := newServer(Answers{Columns: []string{"event_id", "event_time"}}, dated, first, at("now", 0))
	assert.Equal(t, "event_id,event_time\nyear 1,0001-01-01T00:00:00.000000Z\n"+
		"2100,2100-01-01T00:00:00.000000Z\nnow,2026-05-06T07:08:09.123456Z\n", body(t, s))
	_, text := read(t, s, window(now.Add(-time.Hour), now.Add(-time.Hour)), nil)
	assert.Equal(t, []string{"2100"}, ids(t, text))
	_, text = read(t, s, window(now.Add(1), now.AddDate(200, 0, 0)), nil)
	assert.Empty(t, ids(t, text), "not where it says that it is")

	for _, c := range []struct {
		answers Answers
		want    string
	}{
		{Answers{TimeLag: 2 * time.Hour}, "2026-05-06T05:08:09.123456Z"},
		{Answers{TimeLag: time.Hour, TimeLayout: EpochSeconds}, "1778047689"},
		{Answers{TimeLayout: LayoutNoZone, TimeOffset: -7 * time.Hour}, "2026-05-06T00:08:09.123456"},
	} {
		c.answers.Columns = []string{"event_time"}
		_, text = read(t, newServer(c.answers, at("now", 0)), window(now, now), nil)
		assert.Equal(t, "event_time\n"+c.want+"\n", text)
	}
}

func TestGzipThatIsNotAsItSays(t *testing.T) {
	const plain = "event_id\n1\n"
	for _, length := range []bool{false, true} {
		a := Answers{Columns: []string{"event_id"}, Gzip: GzipUnsaid, ContentLength: length}
		response, text := read(t, newServer(a, at("1", -time.Minute)), nil, nil)
		assert.Empty(t, response.Header.Values("Content-Encoding"))
		assert.Equal(t, "text/csv; charset=utf-8", response.Header.Get("Content-Type"))
		assert.Equal(t, "\x1f\x8b", text[:2])
		reader, err := gzip.NewReader(strings.NewReader(text))
		require.NoError(t, err)
		unzipped, err := io.ReadAll(reader)
		require.NoError(t, err)
		assert.Equal(t, plain, string(unzipped))

		a.Gzip = GzipOnlySaid
		response, text = read(t, newServer(a, at("1", -time.Minute)), nil, nil)
		assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
		assert.Equal(t, plain, text)
	}
}

func TestEmptyWindowsThatAreNoExport(t *testing.T) {
	for want, empty := range map[string]Empty{
		"204  ": NoContent, "200 application/json []": EmptyList, "200 application/json {}": EmptyObject,
		"200 application/json null": EmptyNull, `200 application/json {"events":[]}`: EmptyEvents,
	} {
		for _, a := range []Answers{{Empty: empty}, {Empty: empty, JSONString: true, BOM: true, Torn: true}} {
			s := newServer(a, at("1", -time.Hour))
			response, text := read(t, s, window(now, now), nil)
			got := strings.Join([]string{response.Status[:3], response.Header.Get("Content-Type"), text}, " ")
			assert.Equal(t, want, got)
			assert.EqualValues(t, len(text), response.ContentLength)
			assert.Contains(t, body(t, s), "event_time", "a window with events is an export")
			// The server notes it after the client has it.
			assert.Eventually(t, func() bool { return s.Requests()[0].Complete }, 10*time.Second, time.Millisecond)
		}
	}
}

// 204 over sockets has neither a body nor a type.
func TestNoContentOnTheWire(t *testing.T) {
	got := wire(t, newServer(Answers{Empty: NoContent}))
	assert.Equal(t, "HTTP/1.1 204 No Content\r\nDate: Wed, 06 May 2026 07:08:09 GMT\r\n\r\n", got)
}
