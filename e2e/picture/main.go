// Command picture draws the dashboard of conf/monitoring from what a Prometheus has, as Grafana would show it: so that
// the documentation can show a real run, and the picture is made anew when the dashboard changes.
//
//	go run ./e2e/picture -prometheus http://127.0.0.1:9090 -job fluent-bit -last 15m > docs/dashboard.svg
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// dashboard is what is drawn of Grafana's file.
type dashboard struct {
	Title  string
	Panels []panel
}

type panel struct {
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr, LegendFormat string }
	FieldConfig struct {
		Defaults struct {
			Unit     string
			Mappings []struct {
				Options map[string]struct{ Text string }
			}
		}
	}
}

// series is one line of a panel.
type series struct {
	legend string
	points []point
}

type point struct{ at, value float64 }

func main() {
	prometheus := flag.String("prometheus", "http://127.0.0.1:9090", "where Prometheus is")
	job := flag.String("job", "", "label job of what is drawn; empty = all")
	last := flag.Duration("last", time.Hour, "how far back")
	ago := flag.Duration("ago", 0, "how long ago it ends")
	file := flag.String("dashboard", "conf/monitoring/grafana-dashboard.json", "the dashboard")
	flag.Parse()
	if err := run(os.Stdout, *prometheus, *job, time.Now().Add(-*ago), *last, *file); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, prometheus, job string, end time.Time, last time.Duration, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	lines := make([][]series, len(d.Panels))
	for i, p := range d.Panels {
		for _, target := range p.Targets {
			found, err := ask(prometheus, expression(target.Expr, job), target.LegendFormat, end, last)
			if err != nil {
				return fmt.Errorf("panel %q: %w", p.Title, err)
			}
			lines[i] = append(lines[i], found...)
		}
	}
	return draw(w, d, lines, end.Add(-last), last)
}

// expression fills in the dashboard's variables.
func expression(text, job string) string {
	selector := `{name=~".*"}`
	if job != "" {
		selector = `{name=~".*",job="` + job + `"}`
	}
	return strings.NewReplacer("$__rate_interval", "1m", `{name=~"$name"}`, selector).Replace(text)
}

const steps = 120 // points of a line

// ask fetches what an expression was.
func ask(prometheus, expression, legend string, end time.Time, last time.Duration) ([]series, error) {
	response, err := http.Get(prometheus + "/api/v1/query_range?" + url.Values{
		"query": {expression}, "step": {strconv.FormatFloat(last.Seconds()/steps, 'f', 3, 64)},
		"start": {strconv.FormatInt(end.Add(-last).Unix(), 10)}, "end": {strconv.FormatInt(end.Unix(), 10)},
	}.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", expression, answer.Error)
	}
	var found []series
	for _, result := range answer.Data.Result {
		s := series{legend: legend}
		for name, value := range result.Metric {
			s.legend = strings.ReplaceAll(s.legend, "{{"+name+"}}", value)
		}
		for _, v := range result.Values {
			at, _ := v[0].(float64)
			text, _ := v[1].(string)
			if value, err := strconv.ParseFloat(text, 64); err == nil && value-value == 0 { // no NaN, no infinity
				s.points = append(s.points, point{at, value})
			}
		}
		found = append(found, s)
	}
	return found, nil
}
