package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// What appears and is handed over while the export is read is no difference.
func TestWhatAppearsMeanwhileIsRead(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	hours, at := dedup.NewHours(), now.Add(-5*time.Hour).Add(time.Minute)
	for i := range 2 {
		d := dedup.DigestOf(dedup.PublishedID(fmt.Append(nil, i)))
		hours.Apply(nil, map[int64]dedup.Digest{dedup.HourOf(at): d})
	}
	reads := 0
	v := Verifier{
		Export: func(_ context.Context, _ plan.Window, each func(Event)) error {
			reads++
			for i := range min(reads, 2) {
				id := fmt.Append(nil, i)
				each(Event{ID: id, Hash: dedup.PublishedID(id), Time: at})
			}
			return nil
		},
		Collected: func() (Collected, error) {
			return Collected{Hours: hours, From: now.Add(-10 * time.Hour), Through: now, Overlap: time.Minute}, nil
		},
		Retry: source.NewRetry(time.Second), Now: now, MaxRows: 1000,
	}
	report, err := v.Run(t.Context(), plan.Window{})
	require.NoError(t, err)
	require.True(t, report.Proved(), report.String())
	require.Equal(t, 2, report.Exported)
	require.Equal(t, 2, reads)
}

func TestIDsAreReadAsSIEMsWriteThem(t *testing.T) {
	ids, err := ReadIDs(strings.NewReader("\ufeff\"event_id\"\r\n\"a\"\r\n\r\n'b'\n a \nc"))
	require.NoError(t, err)
	require.Len(t, ids.hashes, 3)
	require.True(t, ids.mark(dedup.PublishedID([]byte("a"))))
	require.True(t, ids.mark(dedup.PublishedID([]byte("c"))))
	require.False(t, ids.mark(dedup.PublishedID([]byte("event_id"))))
	n, examples, err := ids.extra()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{"b"}, examples)

	_, err = ReadIDs(strings.NewReader(strings.Repeat("x", longestID+1)))
	require.ErrorContains(t, err, "the list of event_ids cannot be read")
	_, err = ReadIDs(failing{})
	require.ErrorIs(t, err, errFailing)
}

var errFailing = errors.New("fails")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFailing }

func (failing) Write([]byte) (int, error) { return 0, errFailing }

// docs/proof.md shows this example.
func TestTheExampleOfTheDocs(t *testing.T) {
	sum := dedup.Digest{}
	for id, want := range map[string]uint64{
		"evt-1": 0x517f7d200d98f32f, "evt-2": 0x2408a94ca5b4f591, "evt-3": 0xf2baf0275216a95c,
	} {
		require.Equal(t, want, dedup.PublishedID([]byte(id)))
		sum = sum.Plus(dedup.DigestOf(want))
	}
	require.Equal(t, "3 684316940564921c", fmt.Sprintf("%d %016x", sum.Count, sum.Sum()))
}

func TestListsOfIDs(t *testing.T) {
	want, err := ReadIDs(strings.NewReader("a-1\n"))
	require.NoError(t, err)
	for _, list := range []string{
		"event_id\r\n\"a-1\"\r\n", "\ufeffa-1", " 'a-1' \n\na-1", `{"event_id":"a-1","x":{"event_id":"no"}}`,
		`{"event":{"id":"a-1"}}`, `{"event.id":"a-1"}`, `{"metadata":{"uid":"a-1"}}`, `{"metadata.uid":"a-1"}`,
		`{"_index":"i","_id":"a-1","_source":{"user":{"id":"u"}}}`, `{"preview":false,"result":{"event_id":"a-1"}}`,
		`{"_source":{"event":{"id":"a-1"}}}`, "{\"event_id\":\"a-1\"}\na-1\n",
	} {
		got, err := ReadIDs(strings.NewReader(list))
		require.NoError(t, err, list)
		require.Equal(t, want.hashes, got.hashes, list)
	}
	for list, wrong := range map[string]string{
		"a\n{\"event_id\":7}": "line 2 of the list of event_ids: a JSON object without",
		`{"event_id":"a"`:     "line 1 of the list of event_ids: unexpected end of JSON input",
	} {
		_, err := ReadIDs(strings.NewReader(list))
		require.ErrorContains(t, err, wrong)
	}
}
