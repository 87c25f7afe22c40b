package probe

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// In the form in which Fluent Bit 5.1.1 and the plugin itself write histograms.
const histogram = `# TYPE wherobots_audit_event_lateness_seconds histogram
wherobots_audit_event_lateness_seconds_bucket{le="0.0",name="a"} 900
wherobots_audit_event_lateness_seconds_bucket{le="600.0",name="a"} 1999
wherobots_audit_event_lateness_seconds_bucket{le="3600.0",name="a"} 2000
wherobots_audit_event_lateness_seconds_bucket{le="+Inf",name="a"} 2000
wherobots_audit_event_lateness_seconds_sum{name="a"} 5
wherobots_audit_event_lateness_seconds_count{name="a"} 2000
other_bucket{le="+Inf"} 9
`

func TestLatenessIsReadFromTheHistogram(t *testing.T) {
	found, ok := readLateness(histogram)
	require.True(t, ok)
	require.Equal(t, lateness{events: 2000, most: 10 * time.Minute}, found)
	found, ok = readLateness(`wherobots_audit_event_lateness_seconds_bucket{le="1"} 1
wherobots_audit_event_lateness_seconds_bucket{le="+Inf"} 5`)
	require.True(t, ok)
	require.Equal(t, 24*time.Hour, found.most, "beyond all buckets")
	_, ok = readLateness("nothing_of_that 1\n")
	require.False(t, ok)
}

func TestLatenessIsAskedOfThePluginAndThenOfTheEngine(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v2/metrics/prometheus" {
			io.WriteString(w, histogram)
		}
	}))
	defer engine.Close()
	u, err := url.Parse(engine.URL)
	require.NoError(t, err)
	cfg := config.Config{EngineURL: u, StatusListen: "0.0.0.0:1", Overlap: 15 * time.Minute}
	require.Equal(t, "http://127.0.0.1:1/metrics", figureURLs(cfg)[0])
	r := new(report)
	r.latenessOf(context.Background(), Needs{Config: cfg})
	require.Contains(t, r.findings[0].Text, "2000 events")
	require.Contains(t, r.findings[0].Text, "at least 20m is recommended, 15m is set")
	require.Equal(t, "warning", string(r.findings[0].Level))
}
