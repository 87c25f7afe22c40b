package exportertest

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// column is one of the answer's.
type column struct {
	title string
	text  func(*Event) string
}

var texts = map[string]func(*Event) string{
	"event_id": func(e *Event) string { return e.ID }, "action_name": func(e *Event) string { return e.Action },
	"user_id": func(e *Event) string { return e.UserID }, "user_name": func(e *Event) string { return e.UserName },
	"user_agent": func(e *Event) string { return e.UserAgent }, "source_ip": func(e *Event) string { return e.SourceIP },
	"resource_name":  func(e *Event) string { return e.ResourceName },
	"resource_id":    func(e *Event) string { return e.ResourceID },
	"compute_region": func(e *Event) string { return e.ComputeRegion },
	"client_chain":   func(e *Event) string { return e.ClientChain },
	"source_client":  func(e *Event) string { return e.SourceClient },
}

// columns returns the answer's columns in their order; the stamp is of this answer.
func (a *Answers) columns(seed int64, stamp string) []column {
	names := a.Columns
	if names == nil {
		names = ColumnNames
	}
	var columns []column
	for _, name := range names {
		text := texts[name]
		switch {
		case slices.Contains(a.Without, name):
			continue
		case name == "event_time":
			text = a.timeText()
		case name == "event_id" && a.SharedID != "":
			text = a.idText
		case text == nil:
			text = func(*Event) string { return "" }
		}
		columns = append(columns, column{a.spell(name), text})
	}
	for n, name := range a.Extra {
		value := "value " + strconv.Itoa(n)
		columns = append(columns, column{name, func(*Event) string { return value }})
	}
	if a.Volatile != "" {
		columns = append(columns, column{a.Volatile, func(*Event) string { return stamp }})
	}
	arrange(columns, a.ColumnOrder, seed)
	return columns
}

// idText is the event's id, or the one that it shares with others.
func (a *Answers) idText(e *Event) string {
	sum := fnv.New32a()
	io.WriteString(sum, e.ID)
	if float64(sum.Sum32()) < a.SharedIDs*(1<<32) {
		return a.SharedID
	}
	return e.ID
}

// timeText returns what writes event_time.
func (a *Answers) timeText() func(*Event) string {
	layout := a.TimeLayout
	if layout == "" {
		layout = LayoutMicros
	}
	switch layout {
	case EpochSeconds:
		return func(e *Event) string { return strconv.FormatInt(e.Time.Add(-a.TimeLag).Unix(), 10) }
	case EpochMillis:
		return func(e *Event) string { return strconv.FormatInt(e.Time.Add(-a.TimeLag).UnixMilli(), 10) }
	case EpochMicros:
		return func(e *Event) string { return strconv.FormatInt(e.Time.Add(-a.TimeLag).UnixMicro(), 10) }
	}
	zone := time.UTC
	if a.TimeOffset != 0 {
		zone = time.FixedZone("", int(a.TimeOffset/time.Second))
	}
	return func(e *Event) string { return e.Time.Add(-a.TimeLag).In(zone).Format(layout) }
}

// arrange puts rows or columns into an order; a seed always gives the same shuffle of as many.
func arrange[T any](items []T, o Order, seed int64) {
	switch o {
	case Descending:
		slices.Reverse(items)
	case Shuffled:
		random := rand.New(rand.NewPCG(uint64(seed), uint64(len(items))))
		random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
}

// appendRow writes fields as RFC 4180 has them; only those are quoted that need it, unless QuoteAll says so.
func (a *Answers) appendRow(b []byte, fields []string, end string) []byte {
	for i, field := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		if a.Null == QuotedEmpty && field == QuotedEmpty {
			b = append(b, `""`...)
			continue
		}
		special := "\",\r\n"
		if a.RawQuotes {
			special = ",\r\n"
		}
		// A row of one empty field would be a blank line, which readers skip.
		if !a.QuoteAll && !strings.ContainsAny(field, special) && (field != "" || len(fields) > 1) {
			b = append(b, field...)
			continue
		}
		if !a.RawQuotes {
			field = strings.ReplaceAll(field, `"`, `""`)
		}
		b = append(b, '"')
		b = append(b, field...)
		b = append(b, '"')
	}
	return append(b, end...)
}
