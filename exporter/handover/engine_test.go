package handover

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// engineAt is an engine that answers with these texts, by path; what begins with a digit is a status.
func engineAt(input string, answers map[string]string) *Engine {
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:2020"}
	return NewEngine(base, input, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		text, known := answers[r.URL.Path]
		status := http.StatusOK
		switch {
		case !known:
			status = http.StatusNotFound
		case text == "down":
			return nil, errors.New("connection refused")
		case text == "503":
			status = http.StatusServiceUnavailable
		}
		return &http.Response{
			StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(text)),
		}, nil
	}))
}

const (
	pathV2, pathStorage, pathMetrics = "/api/v2/metrics/prometheus", "/api/v1/storage", "/api/v1/metrics"

	oneInput  = "fluentbit_input_records_total{name=\"wherobots_audit.0\"} 6\n"
	oneOutput = "fluentbit_output_proc_records_total{name=\"http.0\"} 4\n"
	chunks    = "fluentbit_storage_chunks 1\n"
)

func TestTheEngineIsReadByTheNewestVersionOfItsAPI(t *testing.T) {
	s, err := engineAt("", map[string]string{pathV2: oneInput + oneOutput + chunks, pathStorage: "503"}).read(t.Context())
	require.NoError(t, err)
	require.True(t, s.whole)
	require.Equal(t, "wherobots_audit.0", s.ours)
	require.EqualValues(t, 6, s.input().records)

	v1 := map[string]string{
		pathStorage: `{"input_chunks": {"wherobots_audit.0": {"chunks": {"total": 3}}}}`,
		pathMetrics: `{"input": {"wherobots_audit.0": {"records": 7}}, "filter": {}, "output": {}}`,
	}
	s, err = engineAt("", v1).read(t.Context())
	require.NoError(t, err)
	require.False(t, s.whole)
	require.Equal(t, inputFigures{name: "wherobots_audit.0", records: 7, chunks: 3}, s.input())
}

// Whoever reads the line must know what to set.
func TestWhatAnEngineThatDoesNotTellLacks(t *testing.T) {
	metrics := `{"input": {"wherobots_audit.0": {"records": 7}}, "filter": {}, "output": {}}`
	for name, c := range map[string]struct {
		answers map[string]string
		says    string
	}{
		"nobody there": {map[string]string{pathV2: "down"}, "cannot be read, set http_server: on and storage.metrics: on"},
		"an error":     {map[string]string{pathV2: "503"}, pathV2 + " tells nothing, set http_server: on"},
		"no input yet": {map[string]string{pathV2: oneOutput + chunks}, "tells of no input yet"},
		"no chunks": {
			map[string]string{pathV2: oneInput}, "does not tell how many chunks it has: set storage.metrics: on",
		},
		"no storage": {map[string]string{pathMetrics: metrics}, pathStorage + " tells nothing"},
		"no metrics": {
			map[string]string{pathStorage: "{}"}, pathMetrics + " tells nothing, set http_server: on and an http_port",
		},
		"no JSON": {map[string]string{pathStorage: "<html>", pathMetrics: metrics}, pathStorage + " tells nothing"},
		"nothing of ours": {
			map[string]string{pathStorage: "{}", pathMetrics: metrics}, `does not tell of input "wherobots_audit.0"`,
		},
	} {
		_, err := engineAt("", c.answers).read(t.Context())
		require.ErrorContains(t, err, c.says, name)
	}
	s, err := engineAt("", map[string]string{pathV2: oneInput + oneOutput}).read(t.Context())
	require.NoError(t, err, "a single output shows what is left without them")
	require.EqualValues(t, unknown, s.chunks)
}

func TestWhichInputIsThisOne(t *testing.T) {
	alias := strings.Replace(oneInput, "wherobots_audit.0", "audit", 1)
	two := oneInput + strings.Replace(oneInput, ".0", ".1", 1) + alias + chunks
	for name, c := range map[string]struct {
		setting, text, ours, says string
	}{
		"the only one": {"", oneInput + chunks, "wherobots_audit.0", ""},
		"by its alias": {"audit", two, "audit", ""},
		"no such alias": {
			"audits", two, "", `has no input "audits"; set engine_input to this input's alias; it has: audit, wh`,
		},
		"two": {
			"", two, "", "has 2 inputs named wherobots_audit.*; give this input an alias and set engine_input to it",
		},
		"none": {
			"", alias + chunks, "",
			"has 0 inputs named wherobots_audit.*",
		},
	} {
		s, err := engineAt(c.setting, map[string]string{pathV2: c.text}).read(t.Context())
		if c.says != "" {
			require.ErrorContains(t, err, c.says, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.ours, s.ours, name)
	}
}
