package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// options are the command's flags.
type options struct {
	listen, portFile, truth string
	apiKey, bearerToken     string
	anchor                  time.Time
	past                    time.Duration
	events                  int
	seed                    int64
	rate, late              float64
	lateBy                  time.Duration
	chaos                   exportertest.Chaos
	answers                 exportertest.Answers
	episodes                []exportertest.Episode
	odd                     float64
	withheld                int
	withheldFor             time.Duration
}

// parse reads the flags and says everything that is wrong with their values.
func parse(flags *flag.FlagSet, arguments []string) (options, error) {
	o := options{anchor: time.Now().UTC()}
	o.add(flags)
	o.addAnswers(flags)
	o.addIlls(flags)
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	o.chaos.Seed = o.seed
	return o, o.validate(flags.Args())
}

func (o *options) add(flags *flag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to listen on")
	flags.StringVar(&o.portFile, "port-file", "", "write the port into this `file`")
	flags.StringVar(
		&o.truth, "truth", "",
		"append every event to this `file` as it becomes visible, a JSON object a line; GET /_truth has them all",
	)
	flags.StringVar(&o.apiKey, "api-key", "simulated", "the `key` that is accepted")
	flags.StringVar(&o.bearerToken, "bearer-token", "", "the `token` that is accepted")
	flags.Func("anchor", "RFC 3339 `time` that the past ends at and live events start at; the same anchor and seed "+
		"give the same events (default now)", func(text string) (err error) {
		o.anchor, err = time.Parse(time.RFC3339Nano, text)
		return err
	})
	flags.DurationVar(&o.past, "past", 24*time.Hour, "how far back events go from the anchor")
	flags.IntVar(&o.events, "events", 500, "how many of them there are")
	flags.Int64Var(&o.seed, "seed", 1, "of events, shuffles and faults")
	flags.Float64Var(&o.rate, "rate", 1, "live events a second; 0 = none")
	flags.Float64Var(&o.late, "late", 0, "`share` of live events that appear late")
	flags.DurationVar(&o.lateBy, "late-by", time.Minute, "by how much")
	flags.Float64Var(&o.chaos.Fail, "fail", 0, "`share` of requests that fail, in every way there is")
	flags.Float64Var(&o.chaos.Cut, "cut", 0, "`share` of answers that are cut")
	flags.Float64Var(&o.chaos.Hang, "hang", 0, "`share` of requests that are never answered, or not to the end")
	flags.Float64Var(&o.chaos.Drip, "drip", 0, "`share` of answers that are sent slowly")
}

func (o *options) addAnswers(flags *flag.FlagSet) {
	a := &o.answers
	choice(flags, &a.Header, "header", "spelling of the header", "snake", "title", "camel", "upper")
	flags.BoolVar(&a.Acronyms, "acronyms", false, "ID and IP in capitals: \"Event ID\", \"sourceIP\"")
	list(flags, &a.Columns, "columns", "the columns, in this order")
	list(flags, &a.Without, "without", "columns that are missing")
	list(flags, &a.Extra, "extra", "further columns")
	choice(flags, &a.ColumnOrder, "column-order", "order of the columns", "asc", "desc", "shuffled")
	choice(flags, &a.Order, "order", "order of the rows", "asc", "desc", "shuffled")
	usage := "`layout` of event_time: " + strings.Join(layoutNames(), ", ") + ", or one of Go's (default micros)"
	flags.Func("time-layout", usage, func(text string) error {
		a.TimeLayout = text
		if layout, ok := layouts[text]; ok {
			a.TimeLayout = layout
		}
		return nil
	})
	flags.DurationVar(&a.TimeOffset, "time-offset", 0, "of the zone that times are written in, east of UTC")
	flags.StringVar(
		&a.ContentType, "content-type", "",
		"of the answer; \"none\" = no such header (default text/csv or application/json)",
	)
	flags.BoolVar(&a.JSONString, "json-string", false, "the CSV as one JSON string")
	flags.BoolVar(&a.BOM, "bom", false, "a byte order mark first")
	flags.BoolVar(&a.CRLF, "crlf", false, "line ends are CRLF")
	flags.BoolVar(&a.QuoteAll, "quote-all", false, "quote every field")
	flags.StringVar(&a.Null, "null", "", "what stands for null; '\"\"' = quotes around nothing")
	choice(
		flags, &a.Empty, "empty", "an answer without rows", "header", "nothing", "line", "204", "[]",
		"{}", "null", "events",
	)
	choice(flags, &a.Gzip, "gzip", "when to compress", "never", "accepted", "always", "unsaid", "only-said")
	flags.BoolVar(&a.Torn, "torn", false, "no line end after the last row")
	flags.BoolVar(&a.ContentLength, "content-length", false, "say the length instead of sending chunks")
	flags.DurationVar(&a.Retention, "retention", exportertest.Retention, "how long events are kept; negative = for ever")
	flags.IntVar(&a.RowLimit, "row-limit", 0, "refuse windows with more rows; 0 = none")
	flags.DurationVar(&a.RowLimitAbove, "row-limit-above", 0, "but not windows of at most this length")
	choice(flags, &a.RowLimitWith, "row-limit-with", "how", "413", "400", "timeout", "hang")
	choice(flags, &a.Errors, "errors", "form of error answers", "errorbody", "fastapi", "html")
	flags.BoolVar(&a.NoDate, "no-date", false, "no Date header")
	flags.DurationVar(&a.DateOffset, "date-offset", 0, "of the Date header from this machine's clock")
	flags.DurationVar(&a.Latency, "latency", 0, "before an answer")
	flags.DurationVar(&a.RowLatency, "row-latency", 0, "after every 100 rows")
}

var layouts = map[string]string{
	"micros": exportertest.LayoutMicros, "nanos": exportertest.LayoutNanos, "millis": exportertest.LayoutMillis,
	"seconds": exportertest.LayoutSeconds,
	"short":   exportertest.LayoutShort, "offset": exportertest.LayoutOffset, "no-zone": exportertest.LayoutNoZone,
	"space":         exportertest.LayoutSpace,
	"epoch-seconds": exportertest.EpochSeconds, "epoch-millis": exportertest.EpochMillis,
	"epoch-micros": exportertest.EpochMicros,
}

func layoutNames() []string {
	var names []string
	for name := range layouts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// choice is a flag with one of some names, whose numbers are those of target's constants; the first is the default.
func choice[T ~int](flags *flag.FlagSet, target *T, name, usage string, names ...string) {
	allowed := strings.Join(names, ", ")
	flags.Func(name, fmt.Sprintf("%s: `one` of %s (default %s)", usage, allowed, names[0]), func(text string) error {
		i := slices.Index(names, text)
		if i < 0 {
			return errors.New("allowed are " + allowed)
		}
		*target = T(i)
		return nil
	})
}

// list is a flag with names between commas.
func list(flags *flag.FlagSet, target *[]string, name, usage string) {
	flags.Func(name, usage+", `names` between commas", func(text string) error {
		*target = strings.Split(text, ",")
		return nil
	})
}

func (o *options) validate(rest []string) error {
	var wrong []error
	add := func(format string, arguments ...any) { wrong = append(wrong, fmt.Errorf(format, arguments...)) }
	if len(rest) > 0 {
		add("%q is not a flag", rest[0])
	}
	if o.apiKey == "" && o.bearerToken == "" {
		add("-api-key or -bearer-token is needed: without, nobody gets in")
	}
	if o.events < 0 || o.past < 0 || o.rate < 0 || o.withheld < 0 || o.answers.Limit.Rows < 0 {
		add("-events, -past, -rate, -withhold and -silent-limit must not be negative")
	}
	shares := map[string]float64{
		"-late": o.late, "-fail": o.chaos.Fail, "-cut": o.chaos.Cut, "-hang": o.chaos.Hang, "-drip": o.chaos.Drip,
		"-ill": o.chaos.Ill, "-odd": o.odd, "-shared-ids": o.answers.SharedIDs,
		"-fail, -cut, -hang, -drip and -ill together": o.chaos.Fail + o.chaos.Cut + o.chaos.Hang + o.chaos.Drip + o.chaos.Ill,
	}
	for name, share := range shares {
		if share < 0 || share > 1 {
			add("%s %s: a share is 0 to 1", name, strconv.FormatFloat(share, 'g', -1, 64))
		}
	}
	for _, name := range slices.Concat(o.answers.Columns, o.answers.Without) {
		if !slices.Contains(exportertest.ColumnNames, name) {
			add("column %q: allowed are %s", name, strings.Join(exportertest.ColumnNames, ", "))
		}
	}
	for name, status := range map[string]int{
		"-too-old": o.answers.Windows.TooOld, "-backward": o.answers.Windows.Backward, "-future": o.answers.Windows.Future,
		"-count-status": o.answers.Count.Status,
	} {
		if status != 0 && (status < 200 || status > 599) {
			add("%s %d: a status is 200 to 599", name, status)
		}
	}
	return errors.Join(wrong...)
}
