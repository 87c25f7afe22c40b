package figures

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

// text is what a scrape of one instance shows.
func text(t *testing.T, s Stats) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, Write(&b, []Instance{{[]Label{{"name", `a"b\` + "\n"}}, s}}))
	return b.String()
}

// set gives a field a value that is not its zero.
func set(t *testing.T, field reflect.Value) {
	t.Helper()
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Int64:
		field.SetInt(7)
	case reflect.Uint64:
		field.SetUint(7)
	case reflect.Float64:
		field.SetFloat(7)
	case reflect.String:
		field.SetString("seven")
	case reflect.Array:
		set(t, field.Index(0))
	case reflect.Struct:
		set(t, field.Field(0))
	default:
		t.Fatal(field.Kind())
	}
}

// Every field of Stats is shown, each by one figure: a figure that nobody can see, or one that shows its neighbour, is
// how an alert stays silent.
func TestEveryStatHasItsFigure(t *testing.T) {
	before := strings.Split(text(t, Stats{}), "\n")
	fields, all := reflect.TypeFor[Stats](), map[string]bool{}
	for n := range fields.NumField() {
		var stats Stats
		set(t, reflect.ValueOf(&stats).Elem().Field(n))
		shown := map[string]bool{}
		for i, line := range strings.Split(text(t, stats), "\n") {
			if line != before[i] {
				name, _, _ := strings.Cut(line, "{")
				shown[name], all[name] = true, true
			}
		}
		assert.Len(t, shown, 1, "figures that show %s: %v", fields.Field(n).Name, shown)
	}
	assert.Len(t, all, len(Table()), "figures that show nothing")
}

// Names follow Prometheus' habits: counters end in _total, units are base units, help is a sentence.
func TestFigureNames(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	for _, f := range Table() {
		assert.Regexp(t, name, f.Name)
		assert.False(t, seen[f.Name], f.Name)
		seen[f.Name] = true
		assert.Equal(t, f.Kind == Counter, strings.HasSuffix(f.Name, "_total"), f.Name)
		assert.Equal(t, f.Kind == Spread, f.Histogram != nil, f.Name)
		assert.Equal(t, f.Kind != Spread, f.Samples != nil, f.Name)
		assert.True(t, strings.HasSuffix(f.Help, ".") && !strings.Contains(f.Help, "\n"), f.Help)
	}
}

func TestHistogram(t *testing.T) {
	var o Observations
	o.Add(3, 0)
	o.Add(1, time.Second)
	o.Add(2, 1500*time.Millisecond)
	o.Add(1, 48*time.Hour)
	h := o.Histogram()
	assert.EqualValues(t, []uint64{3, 4, 6}, h.AtMost[:3])
	assert.EqualValues(t, 6, h.AtMost[len(bounds)-1], "a day")
	assert.EqualValues(t, 7, h.Count())
	assert.InDelta(t, 1+3+48*3600, h.Sum, 1e-9)
	assert.IsIncreasing(t, Bounds())
}

func TestTextFormat(t *testing.T) {
	var o Observations
	o.Add(2, 3*time.Second)
	got := text(t, Stats{Outcomes: [Outcomes]int64{Shrunk: 4}, Lateness: o.Histogram(), Version: "1.0.0", Schema: "raw"})
	for _, line := range []string{
		"# TYPE wherobots_audit_requests_total counter",
		`wherobots_audit_requests_total{name="a\"b\\\n",outcome="shrunk"} 4`,
		`wherobots_audit_event_lateness_seconds_bucket{name="a\"b\\\n",le="1"} 0`,
		`wherobots_audit_event_lateness_seconds_bucket{name="a\"b\\\n",le="5"} 2`,
		`wherobots_audit_event_lateness_seconds_bucket{name="a\"b\\\n",le="+Inf"} 2`,
		`wherobots_audit_event_lateness_seconds_sum{name="a\"b\\\n"} 6`,
		`wherobots_audit_event_lateness_seconds_count{name="a\"b\\\n"} 2`,
		`wherobots_audit_build_info{name="a\"b\\\n",version="1.0.0",schema="raw"} 1`,
	} {
		assert.Contains(t, got, line+"\n")
	}
}

//go:generate go test -run ^TestMetricsDoc$ -update .

// TestMetricsDoc compares the table in docs/metrics.md with the figures; go generate ./exporter/... rewrites it.
func TestMetricsDoc(t *testing.T) {
	golden.Part(t, filepath.Join("..", "..", "docs", "metrics.md"), "figures", Markdown())
}
