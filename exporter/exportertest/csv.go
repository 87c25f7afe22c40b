package exportertest

import (
	"encoding/json"
	"io"
	"strings"
)

// writeCSV writes header and rows, a buffer at a time; more is asked before every 100th row and ends the writing by saying false.
func writeCSV(w io.Writer, events []Event, a Answers, more func() bool) {
	var b []byte
	end := "\n"
	if a.CRLF {
		end = "\r\n"
	}
	if len(events) == 0 && a.Empty != HeaderOnly {
		if a.Empty == LineEndOnly {
			_, _ = io.WriteString(w, end)
		}
		return
	}
	if a.BOM {
		b = append(b, "\ufeff"...)
	}
	columns := a.columns()
	var header []string
	for _, name := range columns {
		header = append(header, a.Header.spell(name))
	}
	b = appendRow(b, append(header, a.Extra...), a.QuoteAll, end)
	fields := make([]string, 0, len(columns)+len(a.Extra))
	for i := range events {
		fields = fields[:0]
		for _, name := range columns {
			fields = append(fields, events[i].field(name, a))
		}
		for n := range a.Extra {
			fields = append(fields, "value "+itoa(n))
		}
		b = appendRow(b, fields, a.QuoteAll, end)
		if a.Torn && i == len(events)-1 {
			b = b[:len(b)-len(end)]
		}
		if i%100 == 99 {
			if _, err := w.Write(b); err != nil || !more() {
				return
			}
			b = b[:0]
		}
	}
	_, _ = w.Write(b)
}

func appendRow(b []byte, fields []string, quoteAll bool, end string) []byte {
	for i, field := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		if !quoteAll && !strings.ContainsAny(field, "\",\r\n") {
			b = append(b, field...)
			continue
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(field, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, end...)
}

// jsonWriter writes what it gets as one JSON string.
type jsonWriter struct {
	w      io.Writer
	opened bool
}

func (j *jsonWriter) Write(p []byte) (int, error) {
	quoted, err := json.Marshal(string(p))
	if err != nil {
		return 0, err
	}
	quoted = quoted[1 : len(quoted)-1]
	if !j.opened {
		j.opened = true
		quoted = append([]byte{'"'}, quoted...)
	}
	if _, err := j.w.Write(quoted); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (j *jsonWriter) close() {
	if !j.opened {
		_, _ = io.WriteString(j.w, `"`)
	}
	_, _ = io.WriteString(j.w, `"`)
}
