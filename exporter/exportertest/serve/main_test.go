package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func parsed(arguments ...string) (options, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return parse(flags, arguments)
}

// serve runs the command until the test ends and returns its address.
func serve(t *testing.T, arguments ...string) string {
	t.Helper()
	portFile := filepath.Join(t.TempDir(), "port")
	o, err := parsed(append(arguments, "-port-file", portFile)...)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, o) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	var port []byte
	require.Eventually(t, func() bool {
		port, err = os.ReadFile(portFile)
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	require.True(t, strings.HasSuffix(string(port), "\n"))
	return "http://127.0.0.1:" + strings.TrimSpace(string(port))
}

func get(t *testing.T, address, header, value string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	request.Header.Set(header, value)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func lines(t *testing.T, text string) []map[string]string {
	t.Helper()
	var out []map[string]string
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		var object map[string]string
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &object))
		out = append(out, object)
	}
	return out
}

// Past and live events are served, and told in three places that agree.
func TestServe(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "truth")
	address := serve(
		t, "-api-key", "k", "-events", "100", "-past", "1h", "-rate", "50", "-truth", truth, "-header",
		"title", "-order", "desc",
	)
	status, _ := get(t, address+exportertest.Path, "X-API-Key", "wrong")
	assert.Equal(t, http.StatusUnauthorized, status)

	var rows [][]string
	require.Eventually(t, func() bool {
		_, text := get(t, address+exportertest.Path, "X-API-Key", "k")
		var err error
		rows, err = csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		return len(rows) > 105
	}, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, "Event Id", rows[0][0])
	assert.GreaterOrEqual(t, rows[1][1], rows[len(rows)-1][1], "descending")

	_, text := get(t, address+"/_truth", "Accept", "*/*")
	visible := lines(t, text)
	require.GreaterOrEqual(t, len(visible), len(rows)-1)
	for i, row := range rows[1:] {
		assert.Equal(t, row[0], visible[len(rows)-2-i]["event_id"])
	}
	require.Eventually(t, func() bool {
		file, err := os.ReadFile(truth)
		require.NoError(t, err)
		return strings.Count(string(file), "\n") >= len(visible)
	}, 20*time.Second, 20*time.Millisecond)

	_, text = get(t, address+"/_requests", "Accept", "*/*")
	var asked summary
	require.NoError(t, json.Unmarshal([]byte(text), &asked))
	assert.Equal(t, 1, asked.Outcomes["401"])
	assert.Equal(t, asked.Count-1, asked.Outcomes["200"])
	assert.Len(t, asked.Requests, asked.Count)
}

// The same anchor and seed give the same events, so that a second run continues the first.
func TestServeAgain(t *testing.T) {
	arguments := []string{
		"-anchor", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), "-events", "50", "-rate",
		"1", "-seed", "7",
	}
	var runs [2][]map[string]string
	for i := range runs {
		address := serve(t, arguments...)
		require.Eventually(t, func() bool {
			_, text := get(t, address+"/_truth", "Accept", "*/*")
			runs[i] = lines(t, text)
			return len(runs[i]) >= 109
		}, 20*time.Second, 10*time.Millisecond)
	}
	assert.Equal(t, runs[0], runs[1][:len(runs[0])])
}

func TestServeFaults(t *testing.T) {
	address := serve(t, "-fail", "1", "-rate", "0", "-bearer-token", "t")
	bad := 0
	for range 40 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+exportertest.Path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer t")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			bad++ // reset
			continue
		}
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), "event_id") {
			bad++
		}
	}
	assert.Equal(t, 40, bad)
}

// What cannot be written or listened on ends the command.
func TestServeErrors(t *testing.T) {
	directory := t.TempDir()
	for arguments, want := range map[string]string{
		"-listen 127.0.0.1:99999":              "invalid port",
		"-truth " + directory:                  "-truth: open " + directory,
		"-port-file " + directory + "/none/at": "none/at.tmp",
	} {
		o, err := parsed(strings.Fields(arguments)...)
		require.NoError(t, err)
		err = run(t.Context(), o)
		require.Error(t, err)
		assert.Contains(t, err.Error(), want)
	}
}

func TestSwitches(t *testing.T) {
	o, err := parsed(strings.Fields("-anchor 2026-05-06T07:08:09+02:00 -past 2h -events 3 -seed 9 -rate 0.5 -late " +
		"0.1 -late-by 7m -fail 0.2 -cut 0.1 -hang 0.02 -drip 0.01 " +
		"-header camel -acronyms -columns event_id,event_time -without event_id -extra a,b -column-order shuffled " +
		"-order desc -time-layout space -time-offset 2h " +
		"-content-type text/plain -json-string -bom -crlf -quote-all -null null -empty line -gzip always -torn " +
		"-content-length -retention 1h -row-limit 5 " +
		"-row-limit-above 1m -row-limit-with hang -errors html -no-date -date-offset -3h -latency 1s -row-latency 2s " +
		"-bearer-token t")...)
	require.NoError(t, err)
	assert.Equal(t, exportertest.Answers{
		Header: exportertest.Camel, Acronyms: true, Columns: []string{"event_id", "event_time"},
		Without: []string{"event_id"}, Extra: []string{"a", "b"},
		ColumnOrder: exportertest.Shuffled, Order: exportertest.Descending, TimeLayout: exportertest.LayoutSpace,
		TimeOffset:  2 * time.Hour,
		ContentType: "text/plain", JSONString: true, BOM: true, CRLF: true, QuoteAll: true, Null: "null",
		Empty: exportertest.LineEndOnly,
		Gzip:  exportertest.GzipAlways, Torn: true, ContentLength: true, SharedIDs: 1, Retention: time.Hour,
		RowLimit: 5, RowLimitAbove: time.Minute,
		RowLimitWith: exportertest.TooManyHang, Errors: exportertest.HTMLPages, NoDate: true,
		DateOffset: -3 * time.Hour, Latency: time.Second, RowLatency: 2 * time.Second,
	}, o.answers)
	assert.Equal(t, exportertest.Chaos{Seed: 9, Fail: 0.2, Cut: 0.1, Hang: 0.02, Drip: 0.01}, o.chaos)
	assert.True(t, o.anchor.Equal(time.Date(2026, 5, 6, 5, 8, 9, 0, time.UTC)))
	assert.Equal(
		t, []any{2 * time.Hour, 3, 0.5, 0.1, 7 * time.Minute, "t"},
		[]any{o.past, o.events, o.rate, o.late, o.lateBy, o.bearerToken},
	)

	o, err = parsed("-time-layout", "2006")
	require.NoError(t, err)
	assert.Equal(t, "2006", o.answers.TimeLayout)
	o, err = parsed()
	require.NoError(t, err)
	assert.Equal(t, exportertest.Answers{Retention: exportertest.Retention, SharedIDs: 1}, o.answers)
}

func TestWrongSwitches(t *testing.T) {
	for arguments, want := range map[string][]string{
		"-header kebab":            {`invalid value "kebab" for flag -header: allowed are snake, title, camel, upper`},
		"-anchor yesterday":        {"-anchor"},
		"-fail 1.5":                {"-fail 1.5: a share is 0 to 1", "together"},
		"-fail 0.6 -cut 0.6":       {"-fail, -cut, -hang, -drip and -ill together 1.2: a share is 0 to 1"},
		"-events -1":               {"must not be negative"},
		"-columns event_id,tenant": {`column "tenant": allowed are event_id,`},
		"-api-key=":                {"nobody gets in"},
		"-events 3 more":           {`"more" is not a flag`},
		"-withhold -1":             {"must not be negative"},
		"-count-status 42":         {"-count-status 42: a status is 200 to 599"},
		"-episode plague":          {`"plague" is none of`, "silent limit"},
		"-ill 0.5 -cut 0.6":        {"together 1.1"},
		"-date-at yesterday":       {"-date-at"},
		"-late -1 -rate -1":        {"-late -1", "-silent-limit must not be negative"},
	} {
		_, err := parsed(strings.Fields(arguments)...)
		require.Error(t, err, arguments)
		for _, part := range want {
			assert.Contains(t, err.Error(), part)
		}
	}
}
