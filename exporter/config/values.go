package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

const day = 24 * time.Hour

// Start is where a collection without a checkpoint begins: a fixed time, or an age before the present when
// the collection begins. The zero value is the present.
type Start struct {
	at  time.Time
	age time.Duration
}

// At tells the beginning when it is now.
func (s Start) At(now time.Time) time.Time {
	if !s.at.IsZero() {
		return s.at
	}
	return now.Add(-s.age)
}

// String spells the value as it is configured.
func (s Start) String() string {
	switch {
	case !s.at.IsZero():
		return s.at.Format(time.RFC3339Nano)
	case s.age == 0:
		return "now"
	}
	return "-" + logline.Duration(s.age)
}

const (
	timeAllowed  = "RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z"
	dateAllowed  = "a date such as 2026-12-31, or RFC 3339 with a time zone, such as 2026-12-31T12:00:00Z"
	startAllowed = "RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z, or now, or an age such as -24h or -90d"
)

// oldest refuses times that can only be a mistake.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || t.Before(oldest) {
		return time.Time{}, errNotAllowed
	}
	return t.UTC(), nil
}

// parseDate reads a date as its beginning in UTC, or a time.
func parseDate(value string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		value = t.Format(time.RFC3339)
	}
	return parseTime(value)
}

func parseStart(value string) (Start, error) {
	if value == "now" {
		return Start{}, nil
	}
	if age, ok := strings.CutPrefix(value, "-"); ok {
		d, err := parseDuration(age)
		if err != nil || d < 0 || d > 10*365*day {
			return Start{}, errNotAllowed
		}
		return Start{age: d}, nil
	}
	at, err := parseTime(value)
	return Start{at: at}, err
}

// Moment reads a time as start_time has it, for a command line: a fixed one, now, or an age before now.
func Moment(text string, now time.Time) (time.Time, error) {
	start, err := parseStart(strings.TrimSpace(text))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no time; allowed: %s", logline.Quoted(text), startAllowed)
	}
	return start.At(now), nil
}

// parseDuration understands Go's durations and days before them: 30s, 1h30m, 90d, 1d12h.
func parseDuration(value string) (time.Duration, error) {
	days, rest, found := strings.Cut(value, "d")
	if !found {
		d, err := time.ParseDuration(value)
		if err != nil {
			return 0, errors.New("is not a duration")
		}
		return d, nil
	}
	n, err := strconv.ParseUint(days, 10, 16) // 65535 days are more than any setting allows
	if err != nil {
		return 0, errors.New("is not a duration")
	}
	total := time.Duration(n) * day
	if rest == "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || strings.HasPrefix(rest, "+") || d > math.MaxInt64-total {
		return 0, errors.New("is not a duration")
	}
	return total + d, nil
}

// sizeUnits are those of Fluent Bit, which count in thousands (flb_utils_size_to_bytes).
var sizeUnits = map[string]float64{"": 1, "K": 1e3, "KB": 1e3, "M": 1e6, "MB": 1e6, "G": 1e9, "GB": 1e9}

// parseSize reads a number of bytes as Fluent Bit does: 64K, 8M, 1.5MB, 1000000; case does not matter.
func parseSize(value string, least, most int) (int, error) {
	unit := strings.TrimLeft(value, "0123456789.")
	factor, ok := sizeUnits[strings.ToUpper(unit)]
	n, err := strconv.ParseFloat(strings.TrimSuffix(value, unit), 64)
	if err != nil || !ok {
		return 0, errors.New("is not a size")
	}
	if n *= factor; n < float64(least) || n > float64(most) {
		return 0, errNotAllowed
	}
	return int(n), nil
}

// parseBool reads what Fluent Bit takes for a boolean (flb_utils_bool), and refuses the rest: a typo must not
// mean off.
func parseBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "on", "true", "yes":
		return true, nil
	case "off", "false", "no":
		return false, nil
	}
	return false, errNotAllowed
}

// parsedURL shortens the signatures of the settings' table.
type parsedURL = *url.URL

// parseBaseURL reads a URL to which paths are appended. What it returns has no trailing slash.
func parseBaseURL(value string) (*url.URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL") // url.Parse's own text repeats the whole value, a password included
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is neither http nor https")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("has a user name in it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a query or fragment")
	case !validPort(u):
		return nil, errors.New("has a port that does not exist")
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	if strings.HasSuffix(u.Path, source.ExportPath) {
		return nil, fmt.Errorf("is more than the base: leave %s off", source.ExportPath)
	}
	return u, nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port > 0 && port < 1<<16
}

// shownURL quotes a value for a message. What a URL can hide, a password or a key in its query, is left out.
func shownURL(value string) string {
	scheme, rest, found := strings.Cut(value, "://")
	if found {
		scheme += "://"
	} else { // user:password@host is not a URL, but it has a password
		scheme, rest = "", value
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = "***@" + rest[at+1:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i+1] + "***"
	}
	return logline.Quoted(scheme + rest)
}

// password is what follows the colon of user:password where no @ tells that it is one.
var password = regexp.MustCompile(`(?s):[0-9]*[^0-9/\\?#:\]\[@].*$`)

// withoutPassword leaves out what may be a password in a URL that was written wrong: its @ forgotten or escaped.
func withoutPassword(value string) string {
	value = strings.ReplaceAll(value, "%40", "@")
	if strings.Contains(value, "@") {
		return value // shownURL leaves out what is before it
	}
	return password.ReplaceAllString(value, ":***")
}

// parseListen checks an address to listen on: a name or an address, or none for all, and a port.
func parseListen(value string) (string, error) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host != "" && !strings.EqualFold(host, "localhost") && net.ParseIP(host) == nil {
		return "", errNotAllowed
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errNotAllowed
	}
	return value, nil
}
