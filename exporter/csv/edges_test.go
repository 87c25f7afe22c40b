package csv

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A person who looks a bad row up in the answer counts every line of it.
func TestBlankLinesBeforeTheHeaderCount(t *testing.T) {
	for chunking, r := range exportertest.Chunkings("\r\n \n\n" + threeColumns + "1," + noon + ",a\n") {
		rows, err := decodeWith(New(), r)
		require.Equal(t, io.EOF, err, chunking)
		require.Equal(t, []decoded{good(5, "1", noon, "a")}, rows, chunking)
	}
}

func TestTheMostColumns(t *testing.T) {
	header := "event_time,action_name" + strings.Repeat(",x", maxColumns-2)
	d := New()
	d.Reset(strings.NewReader(header+"\n"), atWindowEnd)
	columns, err := d.Header()
	require.NoError(t, err)
	require.Len(t, columns.Names, maxColumns)
	d.Reset(strings.NewReader(header+",x\n"), atWindowEnd)
	_, err = d.Header()
	require.ErrorIs(t, err, body.ErrNoExport)
}

// An error that an endpoint sends with 200 is told in its own words, whatever blank lines come before it, and
// however slowly it comes. A code at its end decides what is done about it.
func TestAnErrorBehindBlankLinesIsReadWhole(t *testing.T) {
	blanks := strings.Repeat("\n", body.MaxErrorBytes*5/8)
	text := `{"detail":"` + strings.Repeat("x", body.MaxErrorBytes/2) + `","errors":[{"code":"TIMEOUT_ERROR"}]}`
	d := New()
	d.Reset(io.MultiReader(strings.NewReader(blanks+text[:20]), strings.NewReader(text[20:])), atWindowEnd)
	_, err := d.Header()
	require.ErrorContains(t, err, "TIMEOUT_ERROR")
}

// The same where the buffer is full before the error is.
func TestAnErrorThatDoesNotFitBehindBlankLines(t *testing.T) {
	d, over := decoderWith(256, 256), make(chan error, 1)
	d.Reset(strings.NewReader(strings.Repeat("\n", 200)+`{"detail":"`+strings.Repeat("x", 1000)), atWindowEnd)
	go func() {
		_, err := d.Header()
		over <- err
	}()
	select {
	case err := <-over:
		require.ErrorContains(t, err, `it begins with {"detail":"xxx`)
	case <-time.After(10 * time.Second):
		t.Fatal("it reads into a buffer that is full")
	}
}

// A group is no larger than the caller has room for; the rows behind it come with the next one.
func TestRowsFillAGroupAndNoMore(t *testing.T) {
	const rows = 20
	d := New()
	d.Reset(strings.NewReader(threeColumns+strings.Repeat("1,"+noon+",a\n", rows)), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var group [3]event.Row
	var sizes []int
	for total := 0; total < rows; {
		n, err := d.Rows(group[:])
		require.NoError(t, err)
		sizes, total = append(sizes, n), total+n
	}
	require.Equal(t, []int{3, 3, 3, 3, 3, 3, 2}, sizes)
}

// Only who knows that the last row has no line end can ask whether it is all of it.
func TestARowWithoutALineEndIsTorn(t *testing.T) {
	long := strings.Repeat("x", 4096)
	for text, want := range map[string]bool{
		"1," + noon + ",a\n": false, "1," + noon + ",a": true,
		"1," + noon + ",a\r\n": false, "1," + noon + ",\"a\"": true,
		"1," + noon + ",\"evil": true, "1," + noon + ",\"evil\n": false,
		"1,never,a\n": false, "1,never,a": true, "1," + noon + "," + long: true, "1," + noon + "," + long + "\n": false,
	} {
		d := decoderWith(256, 1024)
		d.Reset(strings.NewReader(threeColumns+"0,"+noon+",a\n"+text), atWindowEnd)
		d.Believe = func(End) bool { return true }
		_, err := d.Header()
		require.NoError(t, err)
		var group [4]event.Row
		for last := 0; err == nil; {
			var n int
			if n, err = d.Rows(group[:]); err == nil {
				last += n
				require.Equal(t, want && last == 2, d.Torn(), "%.40q, row %d", text, last)
			}
		}
		require.Equal(t, io.EOF, err)
	}
}

// The field at which a row's kept beginning ends may look whole, doubled quotes and all. It is not given out.
func TestAFieldThatEndsWhereALongRowIsCut(t *testing.T) {
	const limit = 4096
	start := "1," + noon + ",\"a\"\"b"
	row := start + strings.Repeat("x", limit/2-1-len(start)) + `""` + strings.Repeat("y", limit) + "\"\n"
	d := New()
	d.maxRow = limit
	rows, err := decodeWith(d, strings.NewReader(threeColumns+row+"2,"+noon+",b\n"))
	require.Equal(t, io.EOF, err)
	require.Len(t, rows, 2)
	require.Equal(t, []string{"1", noon}, rows[0].fields)
	want := fmt.Sprintf("is longer than %d bytes; of its text only the first %d are kept", limit, limit/2)
	require.Equal(t, want, rows[0].bad)
	require.Equal(t, good(3, "2", noon, "b"), rows[1])
}
