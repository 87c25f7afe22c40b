package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestIllSwitches(t *testing.T) {
	o, err := parsed(strings.Fields("-silent-limit 1000 -silent-newest -silent-link -silent-total X-Total " +
		"-silent-bytes 9 -silent-varies -joined " +
		"-too-old 400 -too-old-at 24h " +
		"-backward 422 -future 423 -forgets " +
		"-count-status 503 -count-page -count-body {} -count-off -3 -count-lag 1m -count-late-over 1h " +
		"-broken inside-field -broken-text error -framing http10 -content-encoding {key} -unsolicited x " +
		"-date-at 1970-01-01T00:00:00Z " +
		"-cr -raw-quotes -middle-line m -last-line Total,%d -volatile exported_at " +
		"-shared-id None -shared-ids 0.5 -time-lag 2h -gzip unsaid -empty 204 " +
		"-ill 0.25 -odd 0.125 -withhold 7 -withhold-for 2m -episode CR;size=3 -episode CR;lasts=8s")...)
	require.NoError(t, err)
	assert.Equal(t, exportertest.Answers{
		Limit:   exportertest.SilentLimit{Rows: 1000, Newest: true, Link: true, Total: "X-Total", Bytes: 9, Varies: true},
		Windows: exportertest.Windows{TooOld: 400, TooOldAt: 24 * time.Hour, Backward: 422, Future: 423},
		Count:   exportertest.Count{Status: 503, HTML: true, Body: "{}", Off: -3, Lag: time.Minute, LateOver: time.Hour},
		Broken:  exportertest.Broken{At: exportertest.InsideField, Text: exportertest.ErrorBehind},
		Framing: exportertest.HTTP10, ContentEncoding: "{key}", Unsolicited: "x", DateAt: time.Unix(0, 0).UTC(),
		CR: true, Joined: true, RawQuotes: true, MiddleLine: "m", LastLine: "Total,%d", Volatile: "exported_at",
		SharedID: "None", SharedIDs: 0.5, TimeLag: 2 * time.Hour,
		Gzip: exportertest.GzipUnsaid, Empty: exportertest.NoContent, Retention: exportertest.Retention, Forgets: true,
	}, o.answers)
	assert.Equal(t, []any{0.25, 0.125, 7, 2 * time.Minute}, []any{o.chaos.Ill, o.odd, o.withheld, o.withheldFor})
	assert.Equal(t, []exportertest.Episode{{Ill: "CR", Size: 3}, {Ill: "CR", Lasts: 8 * time.Second}}, o.episodes)
	for name, want := range map[string]exportertest.Empty{
		"204": exportertest.NoContent, "[]": exportertest.EmptyList, "{}": exportertest.EmptyObject,
		"null": exportertest.EmptyNull, "events": exportertest.EmptyEvents,
	} {
		o, err := parsed("-empty", name)
		require.NoError(t, err)
		assert.Equal(t, want, o.answers.Empty)
	}
	o, err = parsed("-gzip", "only-said", "-broken-text", "oops")
	require.NoError(t, err)
	assert.Equal(t, []any{exportertest.GzipOnlySaid, "oops"}, []any{o.answers.Gzip, o.answers.Broken.Text})
}

// What the flags say reaches the answers.
func TestServeIlls(t *testing.T) {
	address := serve(t, "-api-key", "k", "-events", "100", "-rate", "0",
		"-withhold", "10", "-withhold-for", "1h", "-odd", "1", "-silent-limit", "20",
		"-episode", "total line; times=1", "-episode", "silent limit; size=5; after=1h")
	status, text := get(t, address+exportertest.CountPath+"?size=0", "X-API-Key", "k")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"total":90`)
	_, text = get(t, address+exportertest.Path, "X-API-Key", "k")
	assert.True(t, strings.HasSuffix(text, "\nTotal,20"), text)
	_, text = get(t, address+exportertest.Path, "X-API-Key", "k")
	assert.NotContains(t, text, "Total,")
	assert.Regexp(t, `(?m)^None,|^[^,]*,2100-|^[^,]*,2999-|^[^,]*,0001-|,,$|"""evil"`, text)
	_, text = get(t, address+"/_requests", "Accept", "*/*")
	assert.Contains(t, text, `"200 total line":1`)
}
