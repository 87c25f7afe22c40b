package csv

import (
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var eventTimes = map[string]string{ // what is read as what, "" as nothing
	"2026-01-31T23:59:59Z":                  "2026-01-31T23:59:59Z",
	"2026-01-31T23:59:59.1Z":                "2026-01-31T23:59:59.1Z",
	"2026-01-31T23:59:59.123456Z":           "2026-01-31T23:59:59.123456Z",
	"2026-01-31T23:59:59.123456789Z":        "2026-01-31T23:59:59.123456789Z",
	"2026-01-31T23:59:59.1234567899999999Z": "2026-01-31T23:59:59.123456789Z",
	"2026-01-31T23:59:59,123Z":              "2026-01-31T23:59:59.123Z",
	"2026-01-31t23:59:59.5z":                "2026-01-31T23:59:59.5Z",
	"2026-01-31T23:59:59+00:00":             "2026-01-31T23:59:59Z",
	"2026-01-31T23:59:59.000001+05:30":      "2026-01-31T18:29:59.000001Z",
	"2026-01-31T23:59:59-0800":              "2026-02-01T07:59:59Z",
	"2026-01-31T23:59:59-08":                "2026-02-01T07:59:59Z",
	"2026-01-31T23:59:59-00:00":             "2026-01-31T23:59:59Z",
	"2026-01-31T23:59:59":                   "2026-01-31T23:59:59Z",
	"2026-01-31 23:59:59":                   "2026-01-31T23:59:59Z",
	"2026-01-31 23:59:59.25+00":             "2026-01-31T23:59:59.25Z",
	"2026-01-31 23:59:59.25 +0100":          "2026-01-31T22:59:59.25Z",
	"2026-01-31 23:59:59 UTC":               "2026-01-31T23:59:59Z",
	"2026-01-31 23:59:59utc":                "2026-01-31T23:59:59Z",
	"2026-01-31T23:59":                      "2026-01-31T23:59:00Z",
	"2026-01-31T23:59+01:00":                "2026-01-31T22:59:00Z",
	"2026-01-31":                            "2026-01-31T00:00:00Z",
	" 2026-01-31T23:59:59Z\t":               "2026-01-31T23:59:59Z",
	"2016-12-31T23:59:60Z":                  "2016-12-31T23:59:59.999999999Z",
	"2016-12-31T23:59:60.5Z":                "2016-12-31T23:59:59.999999999Z",
	"2017-01-01T00:59:60+01:00":             "2016-12-31T23:59:59.999999999Z",
	"2024-02-29T00:00:00Z":                  "2024-02-29T00:00:00Z",
	"2000-02-29T00:00:00Z":                  "2000-02-29T00:00:00Z",
	"0000-01-01T00:00:00Z":                  "0000-01-01T00:00:00Z",
	"9999-12-31T23:59:59.999999999-23:59":   "10000-01-01T23:58:59.999999999Z",
	"1769903999":                            "2026-01-31T23:59:59Z",
	"999999999":                             "2001-09-09T01:46:39Z",
	"1769903999.123456":                     "2026-01-31T23:59:59.123456Z",
	"1769903999123":                         "2026-01-31T23:59:59.123Z",
	"1769903999123456":                      "2026-01-31T23:59:59.123456Z",
	"1769903999123456789":                   "2026-01-31T23:59:59.123456789Z",

	"202611280258":       "2026-11-28T02:58:00Z",
	"20261128025837":     "2026-11-28T02:58:37Z",
	"202611280258375":    "2026-11-28T02:58:37.5Z",
	"20261128025837123":  "2026-11-28T02:58:37.123Z",
	"202611280258371234": "2026-11-28T02:58:37.1234Z",
	"20000229235960":     "2000-02-29T23:59:59.999999999Z",
	"999999999999":       "2001-09-09T01:46:39.999Z",

	"202613280258":                  "",
	"20260230025837":                "",
	"20261128245837":                "",
	"":                              "",
	" ":                             "",
	"null":                          "",
	"0":                             "",
	"-1769903999":                   "",
	"20260131":                      "",
	"9999999999999999999":           "",
	"17699039991234567890":          "",
	"1769903999123.5":               "",
	"1769903999.":                   "",
	"1e9":                           "",
	"2026-02-29T00:00:00Z":          "",
	"1900-02-29T00:00:00Z":          "",
	"2026-04-31T00:00:00Z":          "",
	"2026-13-01T00:00:00Z":          "",
	"2026-00-01T00:00:00Z":          "",
	"2026-01-00T00:00:00Z":          "",
	"2026-01-32T00:00:00Z":          "",
	"2026-01-31T24:00:00Z":          "",
	"2026-01-31T23:60:00Z":          "",
	"2026-01-31T23:59:61Z":          "",
	"2026-01-31T23:59:59.Z":         "",
	"2026-01-31T23:59:59.":          "",
	"2026-01-31T23:59:59+24:00":     "",
	"2026-01-31T23:59:59+01:60":     "",
	"2026-01-31T23:59:59+1":         "",
	"2026-01-31T23:59:59+01:":       "",
	"2026-01-31T23:59:59+01:00Z":    "",
	"2026-01-31T23:59:59ZZ":         "",
	"2026-01-31T23:59:59 CET":       "",
	"2026-01-31T23:5":               "",
	"2026-01-31T":                   "",
	"2026-1-31T23:59:59Z":           "",
	"2026/01/31 23:59:59":           "",
	"31.01.2026 23:59:59":           "",
	"2026-01-31T2a:59:59Z":          "",
	"2026-01-31X23:59:59Z":          "",
	"+2026-01-31T23:59:59Z":         "",
	"2026-01-31T23:59:59Z, 2026":    "",
	"2026-01-31T23:59:59\x00":       "",
	"Sat, 31 Jan 2026 23:59:59 GMT": "",
}

func TestParseEventTime(t *testing.T) {
	for text, want := range eventTimes {
		got, ok := parseEventTime([]byte(text))
		if want == "" {
			assert.False(t, ok, "%q is %v", text, got)
			continue
		}
		assert.True(t, ok, "%q", text)
		assert.Equal(t, want, got.Format(time.RFC3339Nano), "%q", text)
		assert.Equal(t, time.UTC, got.Location())
	}
}

// Every day of two centuries and some of all others, with a time of day for each: what Go writes is read as it was.
func TestParseEventTimeReadsWhatGoWrites(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	zone := time.FixedZone("", -(7*3600 + 30*60))
	layouts := []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.000000000-0700"}
	for at := time.Date(0, 1, 1, 12, 0, 0, 0, zone); at.Year() < 10000; {
		want := at.Add(time.Duration(rnd.Int64N(int64(12*time.Hour)) - int64(6*time.Hour)))
		text := want.Format(layouts[rnd.IntN(len(layouts))])
		got, ok := parseEventTime([]byte(text))
		if !ok || !got.Equal(want) {
			t.Fatalf("%s is %v, %t", text, got, ok)
		}
		if at.Year() >= 1900 && at.Year() <= 2100 {
			at = at.AddDate(0, 0, 1)
		} else {
			at = at.AddDate(0, 0, 97)
		}
	}
}

// No number is a day of no month.
func TestParseEventTimeCalendar(t *testing.T) {
	for _, year := range []int{1900, 2000, 2023, 2024, 2100} {
		for month := range 14 {
			for day := range 33 {
				text := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006-") +
					strconv.Itoa(100 + month)[1:] + "-" + strconv.Itoa(100 + day)[1:] + "T00:00:00Z"
				_, err := time.Parse(time.RFC3339, text)
				_, ok := parseEventTime([]byte(text))
				assert.Equal(t, err == nil, ok, text)
			}
		}
	}
}

// A record has 32 bits for its time: a row from outside them is a bad one, and not of another century.
func TestARowFromOutsideTheRangeOfRecordsIsABadRow(t *testing.T) {
	for text, within := range map[string]bool{
		"0001-01-01T00:00:00Z": false, "1969-12-31T23:59:59Z": false, "1969-12-31T23:59:59.999999999Z": false,
		"1970-01-01T00:00:00Z": true, "2106-02-07T06:28:15.999Z": true, "2106-02-07T06:28:16Z": false,
		"2999-01-01T00:00:00Z": false, "9999999999": false, "9999999999999": false, "20261128025837": true,
	} {
		d := New()
		d.Reset(strings.NewReader(threeColumns+"1,"+text+",a\n2,"+noon+",b\n"), atWindowEnd)
		rows, err := decodeAll(d)
		require.Equal(t, io.EOF, err)
		require.Len(t, rows, 2, text)
		require.Equal(t, good(3, "2", noon, "b"), rows[1], text)
		if within {
			require.Empty(t, rows[0].bad, text)
			continue
		}
		require.Equal(
			t,
			wrong(2, `event_time "`+text+`" is before 1970 or after 2106`, "1,"+text+",a", atWindowEnd, "1", text, "a"),
			rows[0],
		)
	}
}

func TestParseEventTimeAllocatesNothing(t *testing.T) {
	for text := range eventTimes {
		field := []byte(text)
		assert.Zero(t, testing.AllocsPerRun(10, func() { parseEventTime(field) }), text)
	}
}

// FuzzParseEventTime holds the parser by position against the general one, and both against Go's for RFC 3339.
func FuzzParseEventTime(f *testing.F) {
	for text := range eventTimes {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		general, generalOK := parseAnyTime(text)
		if fixed, ok := parseFixedTime(text); ok && (!generalOK || fixed != general) {
			t.Fatalf("%q is %v by position, %v, %t in general", text, fixed, general, generalOK)
		}
		got, ok := parseEventTime(text)
		if ok != generalOK || got != general {
			t.Fatalf("%q is %v, %t; %v, %t in general", text, got, ok, general, generalOK)
		}
		var want time.Time
		if want.UnmarshalText(text) == nil {
			// Go also takes an hour of one digit and offsets such as +24:00 and +01:60, the last of which it
			// then writes differently.
			_, east := want.Zone()
			usual := text[13] == ':' && max(east, -east) < 24*3600 &&
				(east == 0 || strings.HasSuffix(string(text), want.Format("Z07:00")))
			if usual && !ok || ok && !want.Equal(got) {
				t.Fatalf("%q is %v, %t; Go reads %v", text, got, ok, want)
			}
		}
		var neighbours timeParser // of which each remembers the one before
		for range 2 {
			for _, text := range [][]byte{text, []byte("2026-01-31T23:59:59Z"), text} {
				want, wantOK := parseEventTime(text)
				if got, ok := neighbours.parse(text); ok != wantOK || got != want {
					t.Fatalf("%q is %v, %t after others; %v, %t alone", text, got, ok, want, wantOK)
				}
			}
		}
		if ok && got.Location() != time.UTC {
			t.Fatalf("%q is in %v", text, got.Location())
		}
	})
}

// What was read before must not matter.
func TestTimeParserReadsEachTimeAsIfItWereAlone(t *testing.T) {
	var texts []string
	for text := range eventTimes {
		texts = append(texts, text)
		if len(text) > 17 {
			texts = append(texts, text[:16]+":07Z", text[:16]+":60Z", text[:16]+":07.5Z", text[:16]+":7Z", text[:16]+":07.Z")
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var p timeParser
	_, ok := p.parse([]byte(strings.Repeat("\x00", 16) + ":59Z"))
	assert.False(t, ok, "before the first time there is no minute to remember")
	for range 100_000 {
		text := []byte(texts[rnd.IntN(len(texts))])
		want, wantOK := parseEventTime(text)
		got, ok := p.parse(text)
		if ok != wantOK || got != want {
			t.Fatalf("%q is %v, %t; %v, %t alone", text, got, ok, want, wantOK)
		}
	}
}
