package csv

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// againstTheSplitter reads the rows behind a header of some columns, each with quick, and holds it against
// the splitter, which knows all rules: quick must take exactly the good ones whose end is there, and read
// them as the splitter does. It returns how many it took.
func againstTheSplitter(t *testing.T, d *Decoder, rows []byte, columns int) (taken int) {
	t.Helper()
	header := "event_time,action_name,c,d,e,f"[:len("event_time,action_name")+2*(columns-2)] + "\n"
	d.Reset(strings.NewReader(header+string(rows)), atWindowEnd)
	if _, err := d.Header(); err != nil {
		t.Fatal(err)
	}
	for {
		line, text := d.line, bytes.Clone(d.buf[d.start:d.end])
		s := splitter{fields: make([][]byte, columns)}
		size := s.split(bytes.Clone(text), false)
		good := size > 0 && size <= stripBytes && s.bad == "" && s.count == columns && text[size-1] == '\n'
		for _, i := range s.doubled {
			s.fields[i] = undouble(s.fields[i])
		}
		if good {
			at, ok := parseEventTime(s.fields[0])
			good = ok && inRange(at)
		}
		var r event.Row
		start := d.start
		if took := d.quick(&r); took != good {
			t.Fatalf("quick says %t to %q, good is %t", took, text, good)
		}
		if good {
			taken++
			if d.start != start+size || d.line != line+s.lines || r.Line != line || r.Bad != "" || r.Raw != nil || r.ASCII &&
				!event.IsASCII(text[:size]) {
				t.Fatalf("%q: ends at %d in line %d, want %d and %d; %+v", text, d.start-start, d.line, size, line+s.lines, r)
			}
			for i, want := range s.fields {
				if !bytes.Equal(r.Fields[i], want) {
					t.Fatalf("%q: field %d is %q, want %q", text, i, r.Fields[i], want)
				}
			}
			continue
		}
		switch err := d.next(&r); err { // and go on behind what quick did not take
		case nil:
		default:
			return taken
		}
	}
}

func TestQuickAgainstTheSplitter(t *testing.T) { eachWay(t, quickAgainstTheSplitter) }

func quickAgainstTheSplitter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	const alphabet = "aé,,,\"\"\"\"\r\n "
	total, taken := 0, 0
	d := New()
	for range 30_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(5) {
			b.WriteString(noon + ",")
			for range rnd.IntN(12) {
				b.WriteByte(alphabet[rnd.IntN(len(alphabet))])
			}
			b.WriteString("\n")
			total++
		}
		taken += againstTheSplitter(t, d, []byte(b.String()), 2+rnd.IntN(4))
	}
	require.Greater(t, taken, total/20, "quick takes too few for the test to say anything")
}

func FuzzQuick(f *testing.F) {
	f.Add([]byte(noon+`,"a ""b"", c"`+"\r\n"+noon+",\"\"\n"), uint8(0))
	f.Add([]byte(noon+",a\"b\n"+noon+",\"a\nb\",c\n"), uint8(1))
	f.Add([]byte("0000-01-01 00:00:00Z,\n"), uint8(0))
	d := New()
	f.Fuzz(func(t *testing.T, rows []byte, more uint8) {
		againstTheSplitter(t, d, rows, 2+int(more%4))
	})
}

// Rows of all lengths put every kind of mark at every place of a block and of a strip.
func TestQuickAtTheSeamsOfBlocksAndStrips(t *testing.T) {
	for _, value := range []string{"%s", `"%s"`, `"%s,"`, `"""%s"""`, "\"%s\r\n\"", "é%s"} {
		var b strings.Builder
		for size := range 200 {
			fmt.Fprintf(&b, noon+","+value+",\n", strings.Repeat("x", size))
		}
		require.Equal(t, 200, againstTheSplitter(t, New(), []byte(b.String()), 3), value)
	}
}

// Whether a row is ASCII is known for it alone, however long it is and whatever its neighbours are.
func TestQuickTellsWhichRowsAreASCII(t *testing.T) {
	long := strings.Repeat("x", stripBytes/2)
	var b strings.Builder
	want := []bool{true, false, true, false, false, true}
	for _, value := range []string{long, "é" + long, "x", long + "é", "é" + long + "é", long} {
		// with an ASCII row between them
		b.WriteString(noon + "," + value + "\n" + noon + "," + strings.Repeat("y", 2*markBytes) + "\n")
	}
	d := New()
	d.Reset(strings.NewReader("event_time,action_name\n"+b.String()), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	for i, ascii := range want {
		var r event.Row
		require.True(t, d.quick(&r))
		require.Equal(t, ascii, r.ASCII, "row %d", i)
		require.True(t, d.quick(&r))
	}
}

// A wrong row may leave the marks behind it wrong; they must not be believed.
func TestQuickAfterAWrongRow(t *testing.T) {
	d := New()
	d.Reset(
		strings.NewReader("event_time,action_name\n"+noon+",a\n"+noon+",b\"\n"+noon+",c\n"+noon+",\"d,d\"\n"),
		atWindowEnd,
	)
	_, err := d.Header()
	require.NoError(t, err)
	var got []string
	var group [8]event.Row
	for {
		n, err := d.Rows(group[:])
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		for _, r := range group[:n] {
			got = append(got, string(r.Fields[1])+"|"+r.Bad)
		}
	}
	require.Equal(t, []string{"a|", `b"|field 2 has a quote, but does not begin with one`, "c|", "d,d|"}, got)
}

// The rows of a group are all valid until the next one is read.
func TestRowsOfAGroupAreValidTogether(t *testing.T) {
	text := exportertest.Body(1000, 0.5)
	d := New()
	d.usual = 4096
	d.Reset(bytes.NewReader(text), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	single := New()
	single.Reset(bytes.NewReader(text), atWindowEnd)
	_, err = single.Header()
	require.NoError(t, err)
	var group [16]event.Row
	largest := 0
	for total := 0; total < 1000; {
		n, err := d.Rows(group[:])
		require.NoError(t, err)
		largest = max(largest, n)
		for i := range n {
			var want event.Row
			require.NoError(t, single.next(&want))
			require.Equal(t, want.Fields, group[i].Fields)
			require.Equal(t, want.Line, group[i].Line)
			require.True(t, want.Time.Equal(group[i].Time))
		}
		total += n
	}
	require.Greater(t, largest, 4)
}

// A huge row made the buffer large; when its response is done nothing may keep that in memory.
func TestAHugeRowIsForgotten(t *testing.T) {
	d, group := New(), make([]event.Row, 16)
	huge := strings.Repeat("x", 4*readBytes)
	d.Reset(strings.NewReader("event_time,action_name\n"+noon+","+huge+"\n"+noon+","+huge+"\n"), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var large []weak.Pointer[byte]
	for err == nil {
		if _, err = d.Rows(group); err == nil {
			large = append(large, weak.Make(&group[0].Fields[1][0]))
		}
	}
	require.Equal(t, io.EOF, err)
	require.Len(t, large, 2)
	for i := range group {
		group[i].Release()
	}
	runtime.GC()
	for _, pointer := range large {
		require.Nil(t, pointer.Value())
	}
	runtime.KeepAlive(d)
	runtime.KeepAlive(group)
}
