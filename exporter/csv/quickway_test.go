package csv

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// requireTrueStrip checks what quickWay promises of the text to come.
func requireTrueStrip(t *testing.T, d *Decoder) {
	t.Helper()
	known := d.strip.ends[d.used:d.strip.count]
	if len(known) == 0 {
		return
	}
	inside, want := false, []uint16{}
	for at := d.start; at <= d.stripAt+int(known[len(known)-1]); at++ {
		switch c := d.buf[at]; {
		case c == '"':
			inside = !inside
		case !inside && (c == ',' || c == '\n'):
			want = append(want, uint16(at-d.stripAt))
		}
	}
	require.Equal(t, want, known, "%q", d.buf[d.start:d.end])
}

// Whoever read a row, quick or next, and whatever was wrong with it: what quick knows of the text behind it is true.
func TestWhatQuickKnowsIsTrueBehindEveryRow(t *testing.T) { eachWay(t, whatQuickKnowsIsTrue) }

func whatQuickKnowsIsTrue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	const alphabet = "aé,,,\"\"\"\"\r\n "
	d, known := New(), 0
	for range 3000 {
		var b strings.Builder
		b.WriteString("event_time,action_name\n")
		for range 1 + rnd.IntN(8) {
			b.WriteString(noon + ",")
			for range rnd.IntN(8) {
				b.WriteByte(alphabet[rnd.IntN(len(alphabet))])
			}
			b.WriteString("\n")
		}
		d.Reset(strings.NewReader(b.String()), atWindowEnd)
		_, err := d.Header()
		for r := new(event.Row); err == nil; err = d.next(r) {
			requireTrueStrip(t, d)
			if d.used < d.strip.count {
				known++
			}
		}
	}
	require.Greater(t, known, 3000, "too little is known for the test to say anything")
}

// A row of nothing but commas, as many as a strip holds, is a bad one like others.
func TestARowThatIsAStripOfCommas(t *testing.T) {
	d := New()
	d.Reset(strings.NewReader("event_time,action_name\n"+strings.Repeat(",", stripBytes+9)+"\n"+noon+",a\n"), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var r event.Row
	require.NoError(t, d.next(&r))
	require.Contains(t, r.Bad, "fields, the header 2")
	require.NoError(t, d.next(&r))
	require.Empty(t, r.Bad)
	require.Equal(t, io.EOF, d.next(&r))
}

// A row that quick cannot read costs the rows behind it nothing: they have been marked with it.
func TestABadRowCostsItsNeighboursNothing(t *testing.T) {
	d := New()
	rows := noon + ",a\n" + noon + ",b,too many\n" + noon + ",c\n" + noon + ",d\n"
	d.Reset(strings.NewReader("event_time,action_name\n"+rows), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var r event.Row
	require.True(t, d.quick(&r))
	at := d.stripAt
	require.False(t, d.quick(&r))
	require.NoError(t, d.next(&r))
	require.NotEmpty(t, r.Bad)
	for range 2 {
		require.True(t, d.quick(&r))
	}
	require.Equal(t, at, d.stripAt)
}

// No more is marked than a row needs, and as much as it takes: behind a stray quote each row may need a strip.
func TestHowMuchIsMarkedForARow(t *testing.T) {
	x := strings.Repeat("x", leastStrip)
	for name, c := range map[string]struct {
		text string
		has  bool
		next int // the size of the next strip
	}{
		"the row is in the first piece":         {"a,b\n" + x + x, true, 2 * leastStrip},
		"it ends with the first piece":          {"a," + x[:leastStrip-3] + "\n" + x, true, 2 * leastStrip},
		"it ends behind it":                     {"a," + x + "\n" + x, true, 4 * leastStrip},
		"there is no more than the first piece": {"a," + x[2:], false, 2 * leastStrip},
		"there is a little more":                {"a," + x, false, 4 * leastStrip},
		"it is longer than a strip":             {"a," + strings.Repeat(x, 20), false, stripBytes},
	} {
		q := quickWay{stripSize: leastStrip, used: 3}
		require.Equal(t, c.has, q.mark([]byte(c.text), 7, 2), name)
		require.Equal(t, c.next, q.stripSize, name)
		require.Equal(t, 7, q.stripAt)
		require.Zero(t, q.used)
	}
}
