package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/health"
)

// lateness is what a running collection has measured: of how many events, and within what time all but a thousandth of
// them appeared.
type lateness struct {
	events int64
	most   time.Duration // beyond all buckets: a day
	from   string        // who says so
}

// measured asks the running plugin, or the engine that it runs in, for its histogram of lateness. ok is false where
// nothing runs, or nothing was measured yet.
func measured(ctx context.Context, cfg config.Config) (found lateness, ok bool) {
	for _, address := range figureURLs(cfg) {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		text, err := fetch(ctx, address)
		cancel()
		if err != nil {
			continue
		}
		if found, ok = readLateness(text); ok {
			found.from = address
			return found, true
		}
	}
	return lateness{}, false
}

// figureURLs are where the figures are, the plugin's own first.
func figureURLs(cfg config.Config) (list []string) {
	if host, port, err := net.SplitHostPort(cfg.StatusListen); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		list = append(list, "http://"+net.JoinHostPort(host, port)+health.MetricsPath)
	}
	return append(list, cfg.EngineURL.JoinPath("/api/v2/metrics/prometheus").String())
}

const mostFigures = 4 << 20

func fetch(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request) // no proxy, no redirects
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, mostFigures))
	return string(text), err
}

// readLateness adds up the histograms of all instances in Prometheus' text form: which one is meant, it does not say.
func readLateness(text string) (found lateness, ok bool) {
	atMost := make(map[float64]float64)
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		name, rest, _ := strings.Cut(scanner.Text(), "{")
		labels, value, _ := strings.Cut(rest, "}")
		if name != figures.Prefix+"event_lateness_seconds_bucket" {
			continue
		}
		_, after, _ := strings.Cut(labels, `le="`)
		bound, _, _ := strings.Cut(after, `"`)
		le, err := strconv.ParseFloat(bound, 64)
		fields := strings.Fields(value)
		if err != nil || len(fields) == 0 {
			continue
		}
		if n, err := strconv.ParseFloat(fields[0], 64); err == nil {
			atMost[le] += n
		}
	}
	all := atMost[math.Inf(1)]
	if all < 1 {
		return lateness{}, false
	}
	found = lateness{events: int64(all), most: 24 * time.Hour}
	for le, n := range atMost {
		if d := time.Duration(le * float64(time.Second)); !math.IsInf(le, 1) && n >= all*0.999 && d < found.most {
			found.most = d
		}
	}
	return found, true
}
