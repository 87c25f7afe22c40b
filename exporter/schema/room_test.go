package schema

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// A record is the same whatever room there is behind it, and whatever lies behind its fields: how they are
// copied depends on both.
func TestARecordIsTheSameWhateverRoomThereIs(t *testing.T) {
	columns, ok := event.NewColumns(append(
		slices.Clone(event.ColumnNames[:]), "one more", strings.Repeat("a", 30), strings.Repeat("b", 31),
		strings.Repeat("c", 32), strings.Repeat("d", 33), strings.Repeat("e", 45),
	))
	require.True(t, ok)
	for name, value := range map[string]func(place int) string{
		"short":                 func(place int) string { return strings.Repeat("x", place) },
		"around 32":             func(place int) string { return strings.Repeat("x", 25+place) },
		"around 64":             func(place int) string { return strings.Repeat("x", 57+place) },
		"around 128, then long": func(place int) string { return strings.Repeat("x", 40*place) },
		"every other empty":     func(place int) string { return strings.Repeat("x", place%2*20) },
		"long, then short":      func(place int) string { return strings.Repeat("x", max(3, 400-50*place)) },
		"not ASCII":             func(place int) string { return strings.Repeat("é", place) + "\xff" },
	} {
		eachTextWay(t, func(t *testing.T) {
			r := event.Row{Columns: columns, Time: time.Unix(1, 0).UTC()}
			for place := range columns.Names {
				field := make([]byte, 0, 4096)
				r.Fields = append(r.Fields, append(field, value(place)...))
			}
			r.ASCII = event.IsASCII(bytes.Join(r.Fields, nil))
			for _, schema := range allSchemas {
				shape := New(schema, columns)
				want := bytes.Clone(shape.Append(make([]byte, 0, 64<<10), &r))
				clipped := r
				clipped.Fields = nil
				for _, field := range r.Fields {
					clipped.Fields = append(clipped.Fields, slices.Clip(bytes.Clone(field)))
				}
				for room := range len(want) + len(columns.Names)*entryRoom + 100 {
					before := append(make([]byte, 0, 3+room), "abc"...)
					for _, r := range []*event.Row{&r, &clipped} {
						got := shape.Append(before, r)
						if !bytes.Equal(got[:3], []byte("abc")) || !bytes.Equal(got[3:], want) {
							t.Fatalf("%s, %s with room for %d bytes: %q, want %q", name, schema, room, got, want)
						}
					}
				}
			}
		})
	}
}

// eachTextWay runs f with vectors, where the processor has them, and without.
func eachTextWay(t *testing.T, f func(t *testing.T)) {
	t.Run("this processor", f)
	t.Run("words", func(t *testing.T) {
		defer func(has bool) { textVectors = has }(textVectors)
		textVectors = false
		f(t)
	})
}

// Both ways to put entries agree on every byte, and stop at the same one.
func TestPutVectorsIsPutWords(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		entries, fields := make([]textEntry, 1+random.IntN(6)), make([][]byte, random.IntN(8))
		for i := range entries {
			entries[i] = textEntry{size: 1 + random.IntN(putBytes), place: random.IntN(8)}
			for j := range entries[i].key {
				entries[i].key[j] = byte('A' + i)
			}
		}
		for i := range fields {
			memory := make([]byte, random.IntN(2)*200+random.IntN(250))
			for j := range memory {
				memory[j] = byte('a' + i)
			}
			fields[i] = memory[:min(len(memory), []int{0, random.IntN(35), random.IntN(140)}[random.IntN(3)])]
		}
		words, vectors := make([]byte, len(entries)*entryRoom), make([]byte, len(entries)*entryRoom)
		n, done, written := putWords(words, fields, entries)
		n2, done2, written2 := putTexts(vectors, fields, entries)
		if n != n2 || done != done2 || written != written2 || !bytes.Equal(words[:n], vectors[:n]) {
			t.Fatalf("%d, %d, %d %q; with words %d, %d, %d %q", n2, done2, written2, vectors[:n2], n, done, written, words[:n])
		}
	}
}

// A name too long for a textEntry is written another way.
func TestColumnsWithLongNamesKeepTheirOwnValues(t *testing.T) {
	c := schemaCase{header: []string{"event_time", "action_name"}, fields: []string{"2026-01-31T12:00:00Z", "x"}}
	for _, size := range []int{30, 31, 32, 33, 45, 300} {
		for _, letter := range []string{"a", "b"} {
			c.header = append(c.header, strings.Repeat(letter, size))
			c.fields = append(c.fields, fmt.Sprint("value of ", letter, size))
		}
	}
	for _, schema := range allSchemas {
		var written []any
		for _, values := range leaves(c.record(t, schema)) {
			written = append(written, values...)
		}
		for _, value := range c.fields {
			require.Contains(t, written, value, schema)
		}
	}
}
