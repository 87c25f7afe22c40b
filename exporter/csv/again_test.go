package csv

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// An export that was put together of several has its header in the middle: it is no row, and the rows behind it are
// read as it has them.
func TestAHeaderThatComesAgainIsNoRow(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	for name, middle := range map[string]string{
		"the same":              threeColumns + "b," + noon + ",logout\n",
		"behind a mark":         bom + threeColumns + "b," + noon + ",logout\n",
		"a mark, and quoted":    bom + `"event_id","event_time","action_name"` + "\r\n" + `b,` + noon + `,"logout"` + "\r\n",
		"spelled otherwise":     "Event ID,Event Time,Action Name\nb," + noon + ",logout\n",
		"in another order":      "action_name,event_id,event_time\nlogout,b," + noon + "\n",
		"in another and quoted": "event_time,event_id,action_name\n" + noon + `,"b","logout"` + "\n",
		"twice":                 "action_name,event_id,event_time\n" + threeColumns + "b," + noon + ",logout\n",
		"a mark alone":          bom + "b," + noon + ",logout\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := threeColumns + "a," + noon + ",login\n" + middle + "c,yesterday," + `"x""y"` + "\n"
			if strings.Contains(middle, "logout,b") {
				text = strings.Replace(text, `c,yesterday,"x""y"`, `"x""y",c,yesterday`, 1)
			}
			if strings.HasPrefix(middle, "event_time") {
				text = strings.Replace(text, `c,yesterday,"x""y"`, `yesterday,c,"x""y"`, 1)
			}
			for _, single := range []bool{false, true} {
				d := New()
				d.Reset(strings.NewReader(text), atWindowEnd)
				if single {
					d.Reset(iotest.OneByteReader(strings.NewReader(text)), atWindowEnd)
				}
				rows, err := decodeAll(d)
				require.EqualError(t, err, "EOF")
				require.Len(t, rows, 3)
				require.Equal(t, []string{"a", noon, "login"}, rows[0].fields)
				require.Equal(t, []string{"b", noon, "logout"}, rows[1].fields)
				require.Equal(t, atNoon, rows[1].time)
				require.Empty(t, rows[1].bad)
				require.Equal(t, []string{"c", "yesterday", `x"y`}, rows[2].fields)
				require.Contains(t, rows[2].bad, "no time that can be read")
			}
		})
	}
}

// Rows that are given together keep their own fields, a bad one too.
func TestRowsInAnotherOrderKeepTheirFields(t *testing.T) {
	d := New()
	d.Reset(strings.NewReader(threeColumns+"a,"+noon+",login\n"+"action_name,event_id,event_time\n"+
		"say \"hi\",b,"+noon+"\n"+"logout,c,"+noon+"\n"+`"two"`+",d,"+noon+"\n"), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var fields [][]string
	for rows := make([]event.Row, 16); ; {
		n, err := d.Rows(rows)
		if err != nil {
			require.EqualError(t, err, "EOF")
			break
		}
		for i := range n {
			fields = append(fields, copyRow(&rows[i]).fields)
		}
	}
	require.Equal(t, [][]string{
		{"a", noon, "login"}, {"b", noon, `say "hi"`}, {"c", noon, "logout"}, {"d", noon, "two"},
	}, fields)
}

// Rows that only look a little like the header are rows, and a short one keeps its fields where they belong.
func TestWhatIsNotTheHeaderAgainIsARow(t *testing.T) {
	d := New()
	d.Reset(strings.NewReader(threeColumns+"event_id,"+noon+",action_name\n"+"event_id,event_time,action\n"+
		"event_id,event_time\n"+"action_name,event_id,event_time\n"+"logout,b\n"+"logout,b,"+noon+"\n"), atWindowEnd)
	rows, err := decodeAll(d)
	require.EqualError(t, err, "EOF")
	require.Len(t, rows, 5)
	require.Equal(t, good(2, "event_id", noon, "action_name"), rows[0])
	require.NotEmpty(t, rows[1].bad)
	require.NotEmpty(t, rows[2].bad)
	require.Equal(t, []string{"b", "", "logout"}, rows[3].fields)
	require.NotEmpty(t, rows[3].bad)
	require.Equal(t, good(7, "b", noon, "logout"), rows[4])
}

// The header is told by all of its rows that are read at once, too.
func TestRowsEndsBeforeAHeaderThatComesAgain(t *testing.T) {
	d := New()
	d.Reset(strings.NewReader(threeColumns+strings.Repeat("a,"+noon+",login\n", 20)+"action_name,event_time,event_id\n"+
		strings.Repeat("logout,"+noon+",b\n", 20)), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	var into [16]event.Row
	ids := ""
	for {
		n, err := d.Rows(into[:])
		if err != nil {
			require.EqualError(t, err, "EOF")
			break
		}
		for i := range n {
			ids += string(into[i].Value(event.EventID))
		}
	}
	require.Equal(t, strings.Repeat("a", 20)+strings.Repeat("b", 20), ids)
}
