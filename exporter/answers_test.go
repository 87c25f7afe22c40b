package exporter

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

// failWith makes every request go wrong in the way that is stored, as long as there is one.
func (h *simHost) failWith(fault *atomic.Pointer[exportertest.Fault]) {
	h.wrap = func(next http.RoundTripper) http.RoundTripper {
		return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			if f := fault.Load(); f != nil {
				h.server.Fail(*f)
			}
			return next.RoundTrip(r)
		})
	}
}

const header = "event_id,event_time,action_name,user_name\n"

// noExports are answers that are no export: failed requests, not rows.
var noExports = map[string]struct {
	fault   exportertest.Fault
	says    string
	refused bool // a person must act
}{
	"wrong or expired key": {exportertest.Fault{Status: 401}, "401 UNAUTHORIZED_ERROR: an injected fault", true},
	"no permission":        {exportertest.Fault{Status: 403}, "403 INSUFFICIENT_PERMISSIONS_ERROR", true},
	"not found":            {exportertest.Fault{Status: 404}, "404 NOT_FOUND_ERROR", true},
	"not understood":       {exportertest.Fault{Status: 422}, "422 INVALID_INPUT_ERROR", true},
	"500":                  {exportertest.Fault{Status: 500}, "500 INTERNAL_SERVER_ERROR", false},
	"502":                  {exportertest.Fault{Status: 502}, "GET /audit-log/export: 502", false},
	"503":                  {exportertest.Fault{Status: 503}, "GET /audit-log/export: 503", false},
	"too often":            {exportertest.Fault{Status: 429}, "429 RATE_LIMIT_ERROR", false},
	"a page": {
		exportertest.Fault{HTML: true}, "the body is not an export: it begins with <!DOCTYPE html>", false,
	},
	"JSON error with 200": {
		exportertest.Fault{JSONError: true}, "200 INTERNAL_SERVER_ERROR: an injected fault", false,
	},
	"quota with 200": {
		exportertest.Fault{JSONError: true, Code: "INSUFFICIENT_QUOTA_ERROR"},
		"INSUFFICIENT_QUOTA_ERROR", true,
	},
	"other JSON": {
		exportertest.Fault{Body: `{"rows": [1]}`, BodyType: "application/json"},
		`the body is not an export: it begins with {"rows": [1]}`, false,
	},
	"JSON array": {
		exportertest.Fault{Body: `[1]`, BodyType: "application/json"},
		"the body is not an export: it begins with [1]", false,
	},
	"text":   {exportertest.Fault{Body: "OK\n"}, "the body is not an export: it begins with OK", false},
	"UTF-16": {exportertest.Fault{Body: "\xff\xfee\x00v\x00e\x00"}, "it is UTF-16", false},
	"no time column": {
		exportertest.Fault{Body: "event_id,action_name\nx,login\n"},
		"the body is not an export: it begins with event_id,action_name", false,
	},
	"no action column": {
		exportertest.Fault{Body: "event_id,event_time\nx,2026-01-01T00:00:00Z\n"},
		"the body is not an export", false,
	},
	"rows without a header": {
		exportertest.Fault{Body: "x,2026-01-01T00:00:00Z,login\n"}, "the body is not an export", false,
	},
	"cut in the header": {exportertest.Fault{Body: "event_id,event_ti"}, "the body is not an export", false},
	"cut in a row": {
		exportertest.Fault{Body: header + "of a cut body,2009-12-28T23:30:00Z,login,a@b\ncut,2009"},
		"ends too early", false,
	},
	"cut in quotes": {
		exportertest.Fault{Body: header + "cut,2009-12-28T23:30:00Z,login,\"a@b\n"},
		"ends too early",
		false,
	},
	"cut JSON string": {
		exportertest.Fault{
			Body:     `"event_id,event_time,action_name\nx,2009-12-28T23:30:00Z,lo`,
			BodyType: "application/json",
		},
		"read window", false,
	},
	"connection that breaks":    {exportertest.Fault{Reset: true}, "unexpected EOF", false},
	"connection cut in between": {exportertest.Fault{CutAfter: 700}, "unexpected EOF", false},
	"no answer at all":          {exportertest.Fault{Hang: true}, "took longer than request_timeout (20s)", false},
	"redirect elsewhere": {
		exportertest.Fault{Redirect: "https://evil.example/audit-log/export"},
		"redirects to another host, evil.example", true,
	},
}

func TestAnAnswerThatIsNoExportMovesNothing(t *testing.T) {
	for name, c := range noExports {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{
				"retry_max_interval": "2m", "request_timeout": "20s",
				"deep_reconcile_interval": "0", // what a cut body had, and the export has no more, makes it send the hour again
			}
			inBubble(t, settings, func(h *simHost) {
				var fault atomic.Pointer[exportertest.Fault]
				h.failWith(&fault)
				if strings.HasPrefix(name, "cut in ") { // nothing proves it whole, so that it is never believed
					h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing = exportertest.HTTP10 })
				}
				h.start()
				time.Sleep(10 * time.Second)
				before, requests := h.through(), len(h.exports())
				fault.Store(&c.fault)
				h.happen(20)
				time.Sleep(10 * time.Minute)
				require.Contains(t, h.logged(), c.says)
				require.Equal(t, c.refused, strings.Contains(h.logged(), "this probably needs a person"))
				require.Equal(t, before, h.through(), "the checkpoint stays")
				asked := len(h.exports()) - requests
				require.GreaterOrEqual(t, asked, 4, "it asks on")
				require.LessOrEqual(t, asked, 30, "but less and less often")
				require.Equal(t, c.refused, h.e.Stats().Outcomes[figures.Refused] > 0)

				fault.Store(nil)
				time.Sleep(4 * time.Minute)
				require.Contains(t, h.logged(), "the endpoint answers again after ")
				times := h.arrived()
				for _, e := range h.server.Events() {
					require.Equal(t, 1, times[e.ID])
				}
				require.LessOrEqual(t, times["of a cut body"], 1, "what was read of a cut body is no second time handed over")
			})
		})
	}
}

// wrongRows are rows that cannot be read whole.
var wrongRows = map[string]struct {
	row    string
	reason string
	fields map[string]any // that could be made out
}{
	"too few fields": {
		"b,2009-12-28T23:30:00Z,login", "has 3 fields, the header 4",
		map[string]any{"event_id": "b", "action_name": "login"},
	},
	"too many fields": {
		"b,2009-12-28T23:30:00Z,login,a@b,more", "has 5 fields, the header 4",
		map[string]any{"event_id": "b", "user_name": "a@b"},
	},
	"no time": {"b,,login,a@b", "event_time is empty", map[string]any{"event_id": "b"}},
	"unparsable time": {
		"b,yesterday,login,a@b", `event_time "yesterday" is no time that can be read`,
		map[string]any{"event_id": "b", "action_name": "login"},
	},
	"the year 1": {
		"b,0001-01-01T00:00:00Z,login,a@b", "is before 1970 or after 2106",
		map[string]any{"event_id": "b"},
	},
	"the year 2999": {
		"b,2999-01-01T00:00:00Z,login,a@b", "is before 1970 or after 2106",
		map[string]any{"event_id": "b"},
	},
	"a day that isn't": {
		"b,2009-02-30T00:00:00Z,login,a@b", "is no time that can be read",
		map[string]any{"event_id": "b"},
	},
	"a stray quote": {`b,2009-12-28T23:30:00Z,log"in,a@b`, "quote", map[string]any{"event_id": "b"}},
}

func TestABadRowIsForwardedAndStopsNothing(t *testing.T) {
	for name, c := range wrongRows {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *simHost) {
				h.start()
				time.Sleep(5 * time.Second)
				body := header + "before,2009-12-28T23:30:00Z,login,a@b\n" + c.row + "\nafter,2009-12-28T23:30:00Z,logout,c@d\n"
				for range 3 { // it comes again with each overlap
					h.server.Fail(exportertest.Fault{Body: body})
					time.Sleep(time.Minute)
				}
				h.happen(5)
				time.Sleep(time.Minute)
				require.WithinDuration(t, time.Now(), h.through(), 70*time.Second)
				require.EqualValues(t, 1, h.e.Stats().BadRows)
				require.Contains(t, h.logged(), "line 3 of an answer cannot be read whole")
				require.Len(t, h.delivered, 8, "before, the bad one, after, and 5 others: %v", h.arrived())
				bad := h.delivered[1].Record
				require.Equal(t, c.row, bad["raw_line"])
				require.Contains(t, bad["parse_error"], c.reason)
				for field, value := range c.fields {
					require.Equal(t, value, bad[field])
				}
				require.Equal(t, "before", h.delivered[0].Record["event_id"])
				require.Equal(t, "after", h.delivered[2].Record["event_id"])
			})
		})
	}
}

// An export that is put together of two has its header in the middle, in another order, and a proxy that changes
// answers may say 203: each event arrives once, and nothing else.
func TestAnExportThatIsPutTogetherArrivesOnce(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Joined = true })
		h.wrap = func(next http.RoundTripper) http.RoundTripper {
			return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				if err == nil && response.StatusCode == http.StatusOK {
					response.StatusCode, response.Status = http.StatusNonAuthoritativeInfo, "203 Non-Authoritative Information"
				}
				return response, err
			})
		}
		h.happen(101)
		h.start()
		h.liveFor(20)
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		require.Zero(t, h.e.Stats().BadRows)
		require.NotContains(t, h.logged(), "columns changed")
		require.NotContains(t, h.logged(), "203")
	})
}

// What looks odd but is a good row all the same.
func TestOddRowsArriveInFull(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10<<20/16)
	for name, c := range map[string]struct{ field, want string }{
		"invalid UTF-8":     {"a\xff\xfeb", "a\ufffd\ufffdb"},
		"a lone half":       {"a\xed\xa0\x80", "a\ufffd\ufffd\ufffd"},
		"NUL":               {"a\x00b", "a\x00b"},
		"a field of 10 MiB": {long, long},
		"line ends":         {"\"a\r\nb\nc\"", "a\r\nb\nc"},
		"quotes":            {`"say ""hi"", you"`, `say "hi", you`},
		"a formula":         {"=1+1", "=1+1"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"batch_bytes": "64K"}, func(h *simHost) {
				h.start()
				time.Sleep(5 * time.Second)
				h.server.Fail(exportertest.Fault{
					Body: header + "odd,2009-12-28T23:30:00Z,login," + c.field + "\nnext,2009-12-28T23:30:00Z,login,a@b\n",
				})
				time.Sleep(90 * time.Second)
				require.Zero(t, h.e.Stats().BadRows, h.logged())
				require.Len(t, h.delivered, 2)
				require.True(t, c.want == h.delivered[0].Record["user_name"], "the field is as it was")
				require.Equal(t, "next", h.delivered[1].Record["event_id"])
			})
		})
	}
}
