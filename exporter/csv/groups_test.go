package csv

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// readRows reads text in groups of so many rows. All that a group points to is copied only when the whole group is
// there, as it is used.
func readRows(d *Decoder, text io.Reader, group int, believe bool) (rows []decoded, torn []bool, err error) {
	d.Reset(text, atWindowEnd)
	if _, err := d.Header(); err != nil {
		return nil, nil, err
	}
	d.Believe = func(End) bool { return believe }
	into := make([]event.Row, group)
	for {
		n, err := d.Rows(into)
		if err != nil {
			return rows, torn, err
		}
		for i := range n {
			rows = append(rows, copyRow(&into[i]))
			torn = append(torn, d.Torn() && i == n-1)
		}
	}
}

// joinedText is an export of several with headers in other orders, and rows of all kinds.
func joinedText(random *rand.Rand) string {
	names := []string{"event_id", "event_time", "action_name", "user_name"}
	order := []int{0, 1, 2, 3}
	var text strings.Builder
	header := func() {
		if random.IntN(3) == 0 {
			text.Write(body.UTF8BOM)
		}
		for i, at := range order {
			if i > 0 {
				text.WriteByte(',')
			}
			if random.IntN(4) == 0 {
				fmt.Fprintf(&text, "%q", names[at])
			} else {
				text.WriteString(names[at])
			}
		}
		text.WriteByte('\n')
	}
	header()
	values := []string{
		"a", "login", "", `"q"`, `"do""uble"`, `"""x"""`, `""`, `say "hi"`, `"two` + "\n" + `lines"`, `"a,b"`, `"open`,
		`"x"y`, strings.Repeat("long ", 40), `"` + strings.Repeat(`""`, 70) + `"`, strings.Repeat("ü", 5),
		`""""`, `"a` + "\r\n" + `b"`,
	}
	times := []string{noon, noon, noon, noon, `"` + noon + `"`, "yesterday", "", "1950-01-01T00:00:00Z", `"no""on"`}
	for range random.IntN(40) {
		switch random.IntN(12) {
		case 0:
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			header()
			continue
		case 1:
			odd := []string{"\n", "  \n", "\r\n", "\xef\xbb\xbf", `{"error":1}` + "\n", "<html>\n", "x,y\n"}
			text.WriteString(odd[random.IntN(len(odd))])
			continue
		}
		columns := len(order)
		if random.IntN(10) == 0 {
			columns += random.IntN(4) - 2
		}
		for i := range columns {
			if i > 0 {
				text.WriteByte(',')
			}
			if i < len(order) && names[order[i]] == "event_time" {
				text.WriteString(times[random.IntN(len(times))])
			} else if random.IntN(2) == 0 {
				fmt.Fprintf(&text, "v%d", random.IntN(1000))
			} else {
				text.WriteString(values[random.IntN(len(values))])
			}
		}
		text.WriteString([]string{"\n", "\n", "\r\n"}[random.IntN(3)])
	}
	all := text.String()
	if random.IntN(4) == 0 {
		all = all[:len(all)-random.IntN(min(len(all), 30))]
	}
	return all
}

// Rows that are given together are those that are given one by one.
func TestRowsInGroupsAreThoseOneByOne(t *testing.T) {
	for seed := range uint64(300) { // 91 has two marks in a row where the buffer ends
		random := rand.New(rand.NewPCG(seed, 16))
		text, believe := joinedText(random), random.IntN(2) == 0
		maxRow := []int{maxRowBytes, 256, 512}[random.IntN(3)]
		buffer := min([]int{1 << 16, 256, 512}[random.IntN(3)], maxRow)
		one, oneTorn, oneErr := readRows(decoderWith(buffer, maxRow), strings.NewReader(text), 1, believe)
		d := decoderWith(buffer, maxRow)
		for range 2 { // the second time with what the first one left behind
			chunks := &exportertest.RandomChunks{Reader: strings.NewReader(text), Random: random, Max: 1 + random.IntN(400)}
			rows, torn, err := readRows(d, chunks, 1+random.IntN(16), believe)
			if fmt.Sprintf("%+v %v %v", one, oneTorn, oneErr) != fmt.Sprintf("%+v %v %v", rows, torn, err) {
				t.Fatalf("seed %d, buffer %d, longest row %d\n%q\none by one\n%+v %v %v\ntogether\n%+v %v %v",
					seed, buffer, maxRow, text, one, oneTorn, oneErr, rows, torn, err)
			}
		}
	}
}
