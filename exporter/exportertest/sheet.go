package exportertest

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// rowsPerWrite is how many rows are written at once.
const rowsPerWrite = 100

// sheet is the CSV of one answer on its way.
type sheet struct {
	w       io.Writer
	answers *Answers
	columns []column
	fields  []string
	end     string // of a line
	b       []byte // not written yet
	written func(rows int) error
}

// csv writes header and rows as the switches say, some rows at a time. written is told how many rows
// have been written so far, and ends the writing by an error.
func (r *rendering) csv(w io.Writer, written func(rows int) error) error {
	a := r.answers
	s := &sheet{w: w, answers: a, end: a.lineEnd(), columns: a.columns(r.seed, r.stamp), written: written}
	if len(r.events) == 0 && a.Empty != HeaderOnly {
		if a.Empty == LineEndOnly {
			_, err := io.WriteString(w, s.end)
			return err
		}
		return nil
	}
	s.header(a.BOM)
	rows := a.Broken.rows(len(r.events))
	for n, e := range r.events[:rows] {
		if n == len(r.events)/2 && a.MiddleLine != "" {
			s.b = append(append(s.b, a.MiddleLine...), s.end...)
		}
		if n == len(r.events)/2 && a.Joined {
			slices.Reverse(s.columns)
			s.header(true)
		}
		s.row(e)
		if a.Torn && n == len(r.events)-1 {
			s.b = s.b[:len(s.b)-len(s.end)]
		}
		if (n+1)%rowsPerWrite == 0 {
			if err := s.flush(n + 1); err != nil {
				return err
			}
		}
	}
	s.tail(r.events[rows:], rows)
	if len(s.b) == 0 {
		return nil
	}
	return s.flush(rows)
}

func (s *sheet) header(mark bool) {
	s.fields = make([]string, len(s.columns))
	if mark {
		s.b = append(s.b, "\ufeff"...)
	}
	for i, c := range s.columns {
		s.fields[i] = c.title
	}
	s.b = s.answers.appendRow(s.b, s.fields, s.end)
}

func (s *sheet) row(e *Event) {
	for i, c := range s.columns {
		if s.fields[i] = c.text(e); s.fields[i] == "" {
			s.fields[i] = s.answers.Null
		}
	}
	s.b = s.answers.appendFlawed(s.b, s.fields, s.end, e.Flaw)
}

// tail writes what comes behind the rows that are whole; others are left where the answer is broken.
func (s *sheet) tail(left []*Event, rows int) {
	if len(left) > 0 && s.answers.Broken.At == InsideField {
		s.part(left)
	}
	if len(left) > 0 {
		s.b = append(s.b, s.answers.Broken.Text...)
	}
	s.b = append(s.b, strings.ReplaceAll(s.answers.LastLine, "%d", strconv.Itoa(rows))...)
}

// part writes a piece of the first of the rows that can be cut inside its last field.
func (s *sheet) part(left []*Event) {
	whole := len(s.b)
	for _, e := range left {
		s.row(e)
		text, ok := part(string(s.b[whole:]), s.end)
		s.b = s.b[:whole]
		if ok {
			s.b = append(s.b, text...)
			return
		}
	}
}

func (s *sheet) flush(rows int) error {
	if _, err := s.w.Write(s.b); err != nil {
		return err
	}
	s.b = s.b[:0]
	return s.written(rows)
}

// lineEnd is what ends a line.
func (a *Answers) lineEnd() string {
	switch {
	case a.CR:
		return "\r"
	case a.CRLF:
		return "\r\n"
	default:
		return "\n"
	}
}
