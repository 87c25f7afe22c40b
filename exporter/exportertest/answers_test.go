package exportertest

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeader(t *testing.T) {
	for name, c := range map[string]struct {
		answers Answers
		want    string
	}{
		"snake":           {Answers{}, "event_id event_time source_ip"},
		"snake, acronyms": {Answers{Acronyms: true}, "event_id event_time source_ip"},
		"title":           {Answers{Header: Title}, "Event Id|Event Time|Source Ip"},
		"title, acronyms": {Answers{Header: Title, Acronyms: true}, "Event ID|Event Time|Source IP"},
		"camel":           {Answers{Header: Camel}, "eventId eventTime sourceIp"},
		"camel, acronyms": {Answers{Header: Camel, Acronyms: true}, "eventID eventTime sourceIP"},
		"upper":           {Answers{Header: Upper}, "EVENT_ID EVENT_TIME SOURCE_IP"},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = []string{"event_id", "event_time", "source_ip"}
			separator := " "
			if c.answers.Header == Title {
				separator = "|"
			}
			assert.Equal(t, strings.Split(c.want, separator), rows(t, body(t, newServer(c.answers)))[0])
		})
	}
}

func TestColumns(t *testing.T) {
	e := at("id", -time.Minute)
	for name, c := range map[string]struct {
		answers     Answers
		header, row []string
	}{
		"chosen": {
			Answers{Columns: []string{"action_name", "event_id"}},
			[]string{"action_name", "event_id"},
			[]string{"login", "id"},
		},
		"backward": {
			Answers{Columns: []string{"action_name", "event_id"}, ColumnOrder: Descending},
			[]string{"event_id", "action_name"},
			[]string{"id", "login"},
		},
		"unknown": {Answers{Columns: []string{"event_id", "tenant"}}, []string{"event_id", "tenant"}, []string{"id", ""}},
		"extra": {
			Answers{Columns: []string{"event_id"}, Extra: []string{"Tenant", "zone"}},
			[]string{"event_id", "Tenant", "zone"},
			[]string{"id", "value 0", "value 1"},
		},
		"missing": {
			Answers{Columns: []string{"event_id", "event_time", "action_name"}, Without: []string{"event_time"}},
			[]string{"event_id", "action_name"},
			[]string{"id", "login"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, [][]string{c.header, c.row}, rows(t, body(t, newServer(c.answers, e))))
		})
	}
	t.Run("shuffled", func(t *testing.T) {
		got := rows(t, body(t, newServer(Answers{ColumnOrder: Shuffled}, e)))
		assert.ElementsMatch(t, ColumnNames, got[0])
		assert.NotEqual(t, ColumnNames, got[0])
		assert.Equal(t, "id", got[1][slices.Index(got[0], "event_id")], "fields follow their column")
	})
}

func TestOrder(t *testing.T) {
	var events []Event
	want := make([]string, 0, 50)
	for i := range 50 {
		want = append(want, string(rune('A'+i)))
		events = append(events, at(want[i], time.Duration(i-60)*time.Second))
	}
	slices.Reverse(events) // as they were added does not matter
	s := newServer(Answers{}, events...)
	assert.Equal(t, want, ids(t, body(t, s)))
	s.SetAnswers(func(a *Answers) { a.Order = Shuffled })
	shuffled := ids(t, body(t, s))
	assert.ElementsMatch(t, want, shuffled)
	assert.NotEqual(t, want, shuffled)
	assert.Equal(t, shuffled, ids(t, body(t, s)), "the same seed, the same order")
	s.SetAnswers(func(a *Answers) { a.Order = Descending })
	slices.Reverse(want)
	assert.Equal(t, want, ids(t, body(t, s)))
}

func TestTimeLayout(t *testing.T) {
	e := Event{ID: "1", Time: time.Date(2026, 5, 6, 7, 8, 0, 123456789, time.UTC), Action: "login"}
	for layout, want := range map[string]string{
		"":             "2026-05-06T07:08:00.123456Z",
		LayoutNanos:    "2026-05-06T07:08:00.123456789Z",
		LayoutMillis:   "2026-05-06T07:08:00.123Z",
		LayoutSeconds:  "2026-05-06T07:08:00Z",
		LayoutShort:    "2026-05-06T07:08:00.123456Z",
		LayoutOffset:   "2026-05-06T07:08:00.123456+00:00",
		LayoutNoZone:   "2026-05-06T07:08:00.123456",
		LayoutSpace:    "2026-05-06 07:08:00.123456+00:00",
		EpochSeconds:   "1778051280",
		EpochMillis:    "1778051280123",
		EpochMicros:    "1778051280123456",
		"02 Jan, 2006": "06 May, 2026",
	} {
		s := newServer(Answers{TimeLayout: layout, Columns: []string{"event_time"}}, e)
		assert.Equal(t, want, rows(t, body(t, s))[1][0], layout)
	}
	s := newServer(Answers{TimeOffset: -150 * time.Minute, Columns: []string{"event_time"}}, e)
	assert.Equal(t, "2026-05-06T04:38:00.123456-02:30", rows(t, body(t, s))[1][0])
	e.Time = e.Time.Truncate(time.Second)
	s = newServer(Answers{TimeLayout: LayoutShort, Columns: []string{"event_time"}}, e)
	assert.Equal(t, "2026-05-06T07:08:00Z", rows(t, body(t, s))[1][0])
}

func TestTextForms(t *testing.T) {
	columns := []string{"event_id", "user_id"}
	for name, c := range map[string]struct {
		answers Answers
		want    string
	}{
		"plain":        {Answers{}, "event_id,user_id\n1,\n"},
		"CRLF":         {Answers{CRLF: true}, "event_id,user_id\r\n1,\r\n"},
		"BOM":          {Answers{BOM: true}, "\ufeffevent_id,user_id\n1,\n"},
		"quote all":    {Answers{QuoteAll: true}, "\"event_id\",\"user_id\"\n\"1\",\"\"\n"},
		"null":         {Answers{Null: "null"}, "event_id,user_id\n1,null\n"},
		"quoted empty": {Answers{Null: QuotedEmpty}, "event_id,user_id\n1,\"\"\n"},
		"torn":         {Answers{Torn: true}, "event_id,user_id\n1,"},
		"torn CRLF":    {Answers{Torn: true, CRLF: true}, "event_id,user_id\r\n1,"},
		"JSON string":  {Answers{JSONString: true}, `"event_id,user_id\n1,\n"`},
		"all at once": {
			Answers{JSONString: true, BOM: true, CRLF: true, QuoteAll: true},
			"\"\ufeff" + `\"event_id\",\"user_id\"\r\n\"1\",\"\"\r\n"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = columns
			assert.Equal(t, c.want, body(t, newServer(c.answers, at("1", -time.Minute))))
		})
	}
}

func TestEmpty(t *testing.T) {
	for name, c := range map[string]struct {
		answers Answers
		want    string
	}{
		"header":                {Answers{}, "event_id\n"},
		"header and BOM":        {Answers{BOM: true, CRLF: true}, "\ufeffevent_id\r\n"},
		"nothing":               {Answers{Empty: NoBytes, BOM: true}, ""},
		"nothing, said":         {Answers{Empty: NoBytes, ContentLength: true}, ""},
		"nothing, JSON":         {Answers{Empty: NoBytes, JSONString: true}, `""`},
		"line end":              {Answers{Empty: LineEndOnly}, "\n"},
		"line end, CRLF, JSON":  {Answers{Empty: LineEndOnly, CRLF: true, JSONString: true}, `"\r\n"`},
		"header, torn as it is": {Answers{Torn: true}, "event_id\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = []string{"event_id"}
			assert.Equal(t, c.want, body(t, newServer(c.answers)))
		})
	}
}

// A JSON string holds the same text, chunk borders or not.
func TestJSONStringHoldsTheCSV(t *testing.T) {
	events := Generate(9, 1001, now.Add(-time.Hour), now)
	plain := body(t, newServer(Answers{}, events...))
	var text string
	require.NoError(t, json.Unmarshal([]byte(body(t, newServer(Answers{JSONString: true}, events...))), &text))
	require.Equal(t, plain, text)
}

func TestContentType(t *testing.T) {
	for want, a := range map[string]Answers{
		"text/csv; charset=utf-8": {}, "application/json": {JSONString: true},
		"application/octet-stream": {ContentType: "application/octet-stream"},
		"text/csv":                 {JSONString: true, ContentType: "text/csv"}, "": {ContentType: "none"},
	} {
		response, _ := read(t, newServer(a), nil, nil)
		assert.Equal(t, want, response.Header.Get("Content-Type"))
	}
}

func TestGzip(t *testing.T) {
	events := Generate(2, 500, now.Add(-time.Hour), now)
	plain := body(t, newServer(Answers{}, events...))
	for _, c := range []struct {
		when   Compression
		accept string
		zipped bool
	}{
		{GzipNever, "gzip", false},
		{GzipIfAccepted, "", false},
		{GzipIfAccepted, "identity", false},
		{GzipIfAccepted, "gzip", true},
		{GzipIfAccepted, "br, GZIP;q=0.5", true},
		{GzipIfAccepted, "gzip;q=0, identity", false},
		{GzipIfAccepted, "gzip;q=none", false},
		{GzipAlways, "identity", true},
	} {
		for _, length := range []bool{false, true} {
			s := newServer(Answers{Gzip: c.when, ContentLength: length}, events...)
			response, text := read(t, s, nil, map[string]string{"Accept-Encoding": c.accept})
			if c.zipped {
				assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
				reader, err := gzip.NewReader(strings.NewReader(text))
				require.NoError(t, err)
				unzipped, err := io.ReadAll(reader)
				require.NoError(t, err)
				text = string(unzipped)
			} else {
				assert.Empty(t, response.Header.Get("Content-Encoding"), c.accept)
			}
			assert.Equal(t, plain, text, c.accept)
		}
	}
}

func TestContentLength(t *testing.T) {
	events := Generate(2, 5000, now.Add(-time.Hour), now)
	response, text := read(t, newServer(Answers{ContentLength: true}, events...), nil, nil)
	assert.EqualValues(t, len(text), response.ContentLength)
	response, _ = read(t, newServer(Answers{}, events...), nil, nil)
	assert.EqualValues(t, -1, response.ContentLength)
	assert.Empty(t, response.Header.Get("Content-Length"))
}

func TestRowLimit(t *testing.T) {
	events := []Event{at("1", -time.Minute), at("2", -time.Minute), at("3", -time.Minute)}
	whole := window(now.Add(-time.Hour), now)
	for with, want := range map[TooMany]string{
		TooMany413: "413 REQUEST_ENTITY_TOO_LARGE", TooMany400: "400 REQUEST_ENTITY_TOO_LARGE",
		TooManyTimeout: "504 TIMEOUT_ERROR",
	} {
		s := newServer(Answers{RowLimit: 2, RowLimitWith: with}, events...)
		assert.Equal(t, want, refusalOf(t, s, whole, nil))
	}
	s := newServer(Answers{RowLimit: 3}, events...)
	_, text := read(t, s, whole, nil)
	assert.Len(t, ids(t, text), 3, "as many as the limit")
	s = newServer(Answers{RowLimit: 2, RowLimitAbove: time.Hour}, events...)
	_, text = read(t, s, whole, nil)
	assert.Len(t, ids(t, text), 3, "a window that is short enough")
	assert.Equal(t, "413 REQUEST_ENTITY_TOO_LARGE", refusalOf(t, s, window(now.Add(-time.Hour-time.Second), now), nil))
}

func TestRowLimitHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(Answers{RowLimit: 1, RowLimitWith: TooManyHang}, at("1", -time.Minute), at("2", -time.Minute))
		waited := hangs(t, s)
		assert.Equal(t, time.Minute, waited)
		response, _ := read(t, s, window(now, now), nil)
		assert.Equal(t, http.StatusOK, response.StatusCode)
	})
}

func TestDate(t *testing.T) {
	for want, a := range map[string]Answers{
		"Wed, 06 May 2026 07:08:09 GMT": {}, "Wed, 06 May 2026 09:08:09 GMT": {DateOffset: 2 * time.Hour},
		"Tue, 05 May 2026 07:08:09 GMT": {DateOffset: -24 * time.Hour}, "": {NoDate: true},
		"Thu, 01 Jan 1970 00:00:00 GMT": {DateAt: time.Unix(0, 0)},
		"Sat, 01 Jan 2000 00:00:00 GMT": {
			DateAt: time.Date(2000, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), DateOffset: time.Hour,
		},
	} {
		s := newServer(a)
		response, _ := read(t, s, nil, nil)
		assert.Equal(t, want, response.Header.Get("Date"))
		s.Fail(Fault{Status: 503})
		response, _ = read(t, s, nil, nil)
		assert.Equal(t, want, response.Header.Get("Date"), "of an error")
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(Answers{Latency: 3 * time.Second}, Generate(1, 250, now.Add(-time.Hour), now)...)
		began := time.Now()
		body(t, s)
		assert.Equal(t, 3*time.Second, time.Since(began))
		for _, zip := range []Compression{GzipNever, GzipAlways} {
			s.SetAnswers(func(a *Answers) { *a = Answers{RowLatency: time.Minute, Gzip: zip, ContentLength: true} })
			began = time.Now()
			response, err := ask(t, s, nil, nil)
			require.NoError(t, err)
			_, err = io.ReadFull(response.Body, make([]byte, 100))
			require.NoError(t, err)
			assert.Zero(t, time.Since(began), "the first rows are there before the first pause")
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			assert.Equal(t, 2*time.Minute, time.Since(began), "after 100 and 200 rows")
			require.NoError(t, response.Body.Close())
		}
	})
}
