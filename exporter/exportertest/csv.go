package exportertest

import (
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rowsPerWrite is how many rows are written at once.
const rowsPerWrite = 100

// column is one of the answer's.
type column struct {
	title string
	text  func(*Event) string
}

var texts = map[string]func(*Event) string{
	"event_id": func(e *Event) string { return e.ID }, "action_name": func(e *Event) string { return e.Action },
	"user_id": func(e *Event) string { return e.UserID }, "user_name": func(e *Event) string { return e.UserName },
	"user_agent": func(e *Event) string { return e.UserAgent }, "source_ip": func(e *Event) string { return e.SourceIP },
	"resource_name": func(e *Event) string { return e.ResourceName }, "resource_id": func(e *Event) string { return e.ResourceID },
	"compute_region": func(e *Event) string { return e.ComputeRegion }, "client_chain": func(e *Event) string { return e.ClientChain },
	"source_client": func(e *Event) string { return e.SourceClient },
}

// columns returns the answer's columns in their order.
func (a *Answers) columns(seed int64) []column {
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
		case text == nil:
			text = func(*Event) string { return "" }
		}
		columns = append(columns, column{a.spell(name), text})
	}
	for n, name := range a.Extra {
		value := "value " + strconv.Itoa(n)
		columns = append(columns, column{name, func(*Event) string { return value }})
	}
	arrange(columns, a.ColumnOrder, seed)
	return columns
}

// timeText returns what writes event_time.
func (a *Answers) timeText() func(*Event) string {
	layout := a.TimeLayout
	if layout == "" {
		layout = LayoutMicros
	}
	switch layout {
	case EpochSeconds:
		return func(e *Event) string { return strconv.FormatInt(e.Time.Unix(), 10) }
	case EpochMillis:
		return func(e *Event) string { return strconv.FormatInt(e.Time.UnixMilli(), 10) }
	case EpochMicros:
		return func(e *Event) string { return strconv.FormatInt(e.Time.UnixMicro(), 10) }
	}
	zone := time.UTC
	if a.TimeOffset != 0 {
		zone = time.FixedZone("", int(a.TimeOffset/time.Second))
	}
	return func(e *Event) string { return e.Time.In(zone).Format(layout) }
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

// writeCSV writes header and rows as the switches say, some rows at a time. written is told how many rows have been written so far, and ends
// the writing by an error.
func writeCSV(w io.Writer, events []*Event, a *Answers, seed int64, written func(rows int) error) error {
	end := "\n"
	if a.CRLF {
		end = "\r\n"
	}
	if len(events) == 0 && a.Empty != HeaderOnly {
		if a.Empty == LineEndOnly {
			_, err := io.WriteString(w, end)
			return err
		}
		return nil
	}
	columns := a.columns(seed)
	fields := make([]string, len(columns))
	var b []byte
	if a.BOM {
		b = append(b, "\ufeff"...)
	}
	for i, c := range columns {
		fields[i] = c.title
	}
	b = a.appendRow(b, fields, end)
	for n, e := range events {
		for i, c := range columns {
			if fields[i] = c.text(e); fields[i] == "" {
				fields[i] = a.Null
			}
		}
		b = a.appendRow(b, fields, end)
		if a.Torn && n == len(events)-1 {
			b = b[:len(b)-len(end)]
		}
		if (n+1)%rowsPerWrite == 0 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			if err := written(n + 1); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if len(b) == 0 {
		return nil
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return written(len(events))
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
		// A row of one empty field would be a blank line, which readers skip.
		if !a.QuoteAll && !strings.ContainsAny(field, "\",\r\n") && (field != "" || len(fields) > 1) {
			b = append(b, field...)
			continue
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(field, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, end...)
}
