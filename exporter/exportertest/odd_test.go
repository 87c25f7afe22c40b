package exportertest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOddities(t *testing.T) {
	want := map[string]string{
		"no id":               "None,2026-05-06T06:08:09.123456Z,\n",
		"dated 2100":          "1,2100-01-01T00:00:00.000000Z,\n",
		"dated 2999":          "1,2999-12-31T00:00:00.000000Z,\n",
		"dated year 1":        "1,0001-01-01T00:00:00.000000Z,\n",
		"dated two hours ago": "1,2026-05-06T04:08:09.123456Z,\n",
		"one comma too many":  "1,2026-05-06T06:08:09.123456Z,,\n",
		"open quote":          "1,2026-05-06T06:08:09.123456Z,\"\n",
		"quote first":         "1,2026-05-06T06:08:09.123456Z,\"\"\"evil\"\n",
	}
	for _, o := range Oddities {
		t.Run(o.Name, func(t *testing.T) {
			s := newServer(Answers{Columns: []string{"event_id", "event_time", "user_agent"}}, o.Make(at("1", -time.Hour)))
			_, text := read(t, s, window(now.Add(-time.Hour), now.Add(-time.Hour)), nil)
			assert.Equal(t, "event_id,event_time,user_agent\n"+want[o.Name], text)
		})
	}
	assert.Len(t, Oddities, len(want))
}

func TestMakeOdd(t *testing.T) {
	plain := Generate(1, 2000, now.Add(-time.Hour), now)
	odd := Generate(1, 2000, now.Add(-time.Hour), now)
	MakeOdd(5, 0.25, odd)
	changed := 0
	for i := range odd {
		if odd[i] != plain[i] {
			changed++
		}
		assert.True(t, odd[i].filed().Equal(plain[i].Time), "it is found where it was")
	}
	assert.InDelta(t, 500, changed, 60)
	again := Generate(1, 2000, now.Add(-time.Hour), now)
	MakeOdd(5, 0.25, again)
	assert.Equal(t, odd, again)
	MakeOdd(5, 0, plain)
	assert.Equal(t, Generate(1, 2000, now.Add(-time.Hour), now), plain)
}

// Old events that nobody could have seen until an instant of the server's clock.
func TestWithhold(t *testing.T) {
	clock := now
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return clock }})
	events := Generate(1, 200, now.AddDate(0, 0, -20), now)
	Withhold(20, now.Add(time.Hour), events)
	s.Add(events...)
	assert.Len(t, ids(t, body(t, s)), 180)
	_, text := read(t, s, window(now.AddDate(0, 0, -10), now), nil)
	assert.Len(t, ids(t, text), 90, "everywhere alike")
	clock = now.Add(time.Hour - 1)
	assert.Len(t, ids(t, body(t, s)), 180)
	clock = now.Add(time.Hour)
	assert.Len(t, ids(t, body(t, s)), 200)
	Withhold(9, now, events[:2]) // more than there are
	Withhold(1, now, nil)
	assert.Equal(t, []time.Time{now, now}, []time.Time{events[0].Visible, events[1].Visible})
}

// A bad row can come late too.
func TestALateBadRow(t *testing.T) {
	e := at("1", -time.Hour)
	e.Flaw, e.Visible = ExtraComma, now.Add(1)
	clock := now
	answers := Answers{Columns: []string{"event_id", "user_id"}}
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return clock }, Answers: answers})
	s.Add(e)
	assert.Equal(t, "event_id,user_id\n", body(t, s))
	clock = clock.Add(1)
	assert.Equal(t, "event_id,user_id\n1,,\n", body(t, s))
}

func TestLiveOddEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Liveness{Seed: 4, Anchor: time.Now().Add(-100 * time.Second), Rate: 10, Odd: 0.5}
		s := New(Options{})
		var running sync.WaitGroup
		stop := withCancel(t, &running, func(ctx context.Context) { s.Live(ctx, l) })
		synctest.Wait()
		stop()
		odd := 0
		for _, e := range s.Events() {
			if e.Flaw != Flawless || !e.Filed.IsZero() || e.ID == "None" || strings.HasPrefix(e.UserAgent, `"`) {
				odd++
			}
		}
		assert.InDelta(t, 500, odd, 60)
	})
}
