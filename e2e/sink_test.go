package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// record is what arrived: the engine's timestamp and the fields.
type record struct {
	time   time.Time
	fields map[string]any
}

func (r record) id() string {
	id, _ := r.fields["event_id"].(string)
	return id
}

// parse reads {"date":1700000000.123456789, "field":…}.
func (bundled) parse(line []byte) (record, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var r record
	if err := decoder.Decode(&r.fields); err != nil {
		return r, err
	}
	date, _ := r.fields["date"].(json.Number)
	delete(r.fields, "date")
	var err error
	r.time, err = unixTime(date.String())
	return r, err
}

// parse reads `tag: [1700000000.123456789, {"field":…}]`, the engine's file
// output. A line that was torn by a kill may be followed by a whole one without
// a line break between them.
func (engine) parse(line []byte) (record, error) {
	var r record
	start := bytes.LastIndex(line, []byte(": ["))
	for ; start >= 0; start = bytes.LastIndex(line[:start], []byte(": [")) {
		date, fields, found := strings.Cut(string(line[start+3:]), ", ")
		stamp, err := unixTime(date)
		if !found || err != nil || !strings.HasSuffix(fields, "]") {
			continue
		}
		r.time = stamp
		return r, json.Unmarshal([]byte(strings.TrimSuffix(fields, "]")), &r.fields)
	}
	return r, errors.New("no record")
}

// unixTime reads seconds.nanoseconds, with nine digits of the latter.
func unixTime(text string) (time.Time, error) {
	seconds, fraction, found := strings.Cut(text, ".")
	if !found || len(fraction) != 9 {
		return time.Time{}, fmt.Errorf("%q is no time with nanoseconds", text)
	}
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	ns, err := strconv.ParseInt(fraction, 10, 64)
	return time.Unix(s, ns).UTC(), err
}

// records reads the output file. torn says how many lines that are no record are
// let pass: a host that is killed may leave half a line.
func (r *rig) records(t *testing.T, torn int) []record {
	t.Helper()
	parse := r.host.parse
	if _, real := r.host.(engine); real && r.sink != nil {
		parse = parseBody
	}
	var records []record
	for line := range bytes.Lines(r.output(t)) {
		got, err := parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			torn--
			require.GreaterOrEqual(t, torn, 0, "a line that is no record: %s: %v", line, err)
			continue
		}
		records = append(records, got)
	}
	return records
}

func (r *rig) output(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(r.path("out"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return text
}

// lines counts what has arrived so far.
func (r *rig) lines(t *testing.T) int {
	t.Helper()
	return bytes.Count(r.output(t), []byte("\n"))
}

// tally says how often each event arrived, by event_id.
func tally(records []record) map[string]int {
	times := make(map[string]int, len(records))
	for _, r := range records {
		times[r.id()]++
	}
	return times
}
