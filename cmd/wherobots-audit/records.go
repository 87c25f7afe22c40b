package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
)

// printer prints events as the plugin hands them over: [time, record] in msgpack.
type printer interface {
	print(event []byte) error
	flush() error
}

// jsonLines prints each record as a line of JSON.
type jsonLines struct {
	out     *bufio.Writer
	timeKey string // the field that the record's own time goes into, as outputs of Fluent Bit do; "" = none
}

func newJSONLines(out io.Writer, timeKey string) *jsonLines {
	return &jsonLines{bufio.NewWriterSize(out, 64<<10), timeKey}
}

func (p *jsonLines) print(entry []byte) error {
	at, record, err := split(entry)
	if err != nil {
		return err
	}
	text, err := msgpack.JSON(record)
	if err != nil {
		return err
	}
	if p.timeKey != "" && len(text) >= 2 {
		key, _ := json.Marshal(p.timeKey) // a string never fails
		begin := fmt.Sprintf("{%s:%q", key, at.Format(time.RFC3339Nano))
		if len(text) > 2 {
			begin += ","
		}
		text = append([]byte(begin), text[1:]...)
	}
	_, err = p.out.Write(append(text, '\n'))
	return err
}

func (p *jsonLines) flush() error { return p.out.Flush() }

// split takes the time and the record out of an event.
func split(entry []byte) (at time.Time, record []byte, err error) {
	parts, err := msgpack.Elements(entry)
	if err != nil || len(parts) != 2 || len(parts[0]) != 10 {
		return at, nil, errors.Join(err, errors.New("no event"))
	}
	seconds, nanos := binary.BigEndian.Uint32(parts[0][2:]), binary.BigEndian.Uint32(parts[0][6:])
	return time.Unix(int64(seconds), int64(nanos)).UTC(), parts[1], nil
}

// table prints raw records as CSV: the columns that are known, what bad rows have, and all others as JSON in one.
type table struct {
	out     *csv.Writer
	columns []string
	begun   bool
}

// otherFields is the column of those that are not known.
const otherFields = "other_fields"

func newTable(out io.Writer) *table {
	columns := slices.Concat(event.ColumnNames[:], []string{"parse_error", "raw_line"})
	return &table{out: csv.NewWriter(out), columns: columns}
}

func (t *table) print(entry []byte) error {
	_, record, err := split(entry)
	if err != nil {
		return err
	}
	text, err := msgpack.JSON(record)
	if err != nil {
		return err
	}
	fields := make(map[string]any)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return err
	}
	if err := t.header(); err != nil {
		return err
	}
	row := make([]string, 0, len(t.columns)+1)
	for _, name := range t.columns {
		value := ""
		if field, has := fields[name]; has {
			value = fmt.Sprint(field)
		}
		row = append(row, value)
		delete(fields, name)
	}
	others := ""
	if len(fields) > 0 {
		text, _ := json.Marshal(fields) // they came of JSON
		others = string(text)
	}
	return t.out.Write(append(row, others))
}

func (t *table) header() error {
	if t.begun {
		return nil
	}
	t.begun = true
	return t.out.Write(append(slices.Clone(t.columns), otherFields))
}

// flush also writes the header of a table without rows.
func (t *table) flush() error {
	if err := t.header(); err != nil {
		return err
	}
	t.out.Flush()
	return t.out.Error()
}
