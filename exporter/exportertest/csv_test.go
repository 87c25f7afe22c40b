package exportertest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asRead is a field as encoding/csv returns it: it turns CR LF within quotes into LF.
func asRead(fields [12]string) []string {
	out := fields[:]
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], "\r\n", "\n")
	}
	return out
}

// What is written is read by encoding/csv as what it was, whatever the form.
func TestCSVIsReadByAnotherReader(t *testing.T) {
	events := Generate(3, 1234, now.Add(-time.Hour), now)
	for name, a := range map[string]Answers{
		"plain": {}, "quote all": {QuoteAll: true}, "CRLF": {CRLF: true}, "both": {QuoteAll: true, CRLF: true},
		"torn":      {Torn: true},
		"torn CRLF": {Torn: true, CRLF: true}, "quoted empty": {Null: QuotedEmpty}, "length": {ContentLength: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := rows(t, body(t, newServer(a, events...)))
			require.Len(t, got, len(events)+1)
			require.Equal(t, ColumnNames, got[0])
			for i := range events {
				require.Equal(t, asRead(events[i].Fields()), got[i+1])
			}
		})
	}
}

// Without switches the bytes are those of encoding/csv's own writer.
func TestCSVIsWhatAnotherWriterWrites(t *testing.T) {
	events := Generate(3, 1000, now.Add(-time.Hour), now)
	for i := range events {
		// the other writer also quotes what begins with a space, which nobody has to
		events[i].ResourceName = strings.TrimSpace(events[i].ResourceName)
	}
	var want bytes.Buffer
	writer := csv.NewWriter(&want)
	require.NoError(t, writer.Write(ColumnNames))
	for i := range events {
		fields := events[i].Fields()
		require.NoError(t, writer.Write(fields[:]))
	}
	writer.Flush()
	require.Equal(t, want.String(), body(t, newServer(Answers{}, events...)))
}

// A row of one empty field is no blank line, which readers skip.
func TestCSVRowOfOneEmptyField(t *testing.T) {
	s := newServer(Answers{Columns: []string{"user_id"}}, at("a", -time.Hour), at("b", -time.Minute))
	assert.Equal(t, "user_id\n\"\"\n\"\"\n", body(t, s))
}

// Rows are made while they are read: an answer in progress holds a pointer a row and no text.
func TestAnswerIsStreamed(t *testing.T) {
	const n = 30_000 // 9 MB of CSV
	for name, a := range map[string]Answers{
		"chunked": {}, "length": {ContentLength: true},
		"JSON string, gzip, length": {ContentLength: true, JSONString: true, Gzip: GzipAlways},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(a, Generate(1, n, now.Add(-24*time.Hour), now)...)
			before := heap()
			response, err := ask(t, s, nil, nil)
			require.NoError(t, err)
			defer response.Body.Close()
			_, err = io.CopyN(io.Discard, response.Body, 1<<16)
			require.NoError(t, err)
			assert.Less(t, heap()-before, int64(3<<20), "bytes of an answer in progress")
			rest, err := io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			assert.Greater(t, rest, int64(1<<20), "the answer was hardly begun")
			runtime.KeepAlive(s)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkAnswer tells what a simulated answer costs, since benchmarks of a client pay for it too.
func BenchmarkAnswer(b *testing.B) {
	s := newServer(Answers{}, Generate(1, 10_000, now.Add(-time.Hour), now)...)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.example.test"+Path, nil)
	require.NoError(b, err)
	request.Header.Set("X-API-Key", testKey)
	for b.Loop() {
		response, err := s.Transport().RoundTrip(request)
		require.NoError(b, err)
		n, err := io.Copy(io.Discard, response.Body)
		require.NoError(b, err)
		b.SetBytes(n)
		require.NoError(b, response.Body.Close())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
}

func ExampleServer() {
	s := New(Options{APIKey: "key", Clock: func() time.Time { return now }})
	s.Add(Event{ID: "1", Time: now.Add(-time.Minute), Action: "login", UserName: "a@example.com"})
	request, _ := http.NewRequest(http.MethodGet, "https://api.example.test"+Path, nil)
	request.Header.Set("X-API-Key", "key")
	response, _ := s.Transport().RoundTrip(request)
	text, _ := io.ReadAll(response.Body)
	fmt.Print(strings.Replace(string(text), ",resource_name", ",\nresource_name", 1)) // for short lines here
	// Output:
	// event_id,event_time,action_name,user_id,user_name,user_agent,source_ip,
	// resource_name,resource_id,compute_region,client_chain,source_client
	// 1,2026-05-06T07:07:09.123456Z,login,,a@example.com,,,,,,,
}
