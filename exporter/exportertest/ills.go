package exportertest

import (
	"slices"
	"time"
)

// Ill is a way of answering badly, by its name: what public reports tell of such endpoints. Each is
// made of Answers, which do it in other sizes and together too.
type Ill struct {
	Name   string
	Silent bool // no answer shows it by itself: only another one, or the sister operation
	Alters bool // whole rows have other content than without it, so that what was read before may come again
	Counts bool // it is one of the sister operation
	change func(a *Answers, size int)
}

// MostSize is the largest size of an ill; each takes one from 1 on, and some do not need it.
const MostSize = 100

// Ills returns all there are, always in the same order.
func Ills() []Ill { return slices.Clone(ills) }

// IllNames returns their names.
func IllNames() []string {
	var names []string
	for _, ill := range ills {
		names = append(names, ill.Name)
	}
	return names
}

// Change returns what makes a server ill, for SetAnswers, During or Fault.Change.
func (i Ill) Change(size int) func(*Answers) { return i.sized(min(max(size, 1), MostSize)) }

func (i Ill) sized(size int) func(*Answers) { return func(a *Answers) { i.change(a, size) } }

// illNamed returns the ill of a name.
func illNamed(name string) (Ill, bool) {
	n := slices.IndexFunc(ills, func(i Ill) bool { return i.Name == name })
	if n < 0 {
		return Ill{}, false
	}
	return ills[n], true
}

var ills = slices.Concat(limitIlls, countIlls, windowIlls, bodyIlls, rowIlls, dateIlls, keyIlls)

// overtIlls are the ills that chaos draws from: one bad answer among others must not cost anything.
var overtIlls = slices.DeleteFunc(Ills(), func(i Ill) bool { return i.Silent || i.Alters })

// The size is the number of rows.
var limitIlls = []Ill{
	{Name: "silent limit", Silent: true, change: func(a *Answers, n int) { a.Limit = SilentLimit{Rows: n} }},
	{Name: "silent limit, newest", Silent: true, change: func(a *Answers, n int) {
		a.Limit = SilentLimit{Rows: n, Newest: true}
	}},
	{Name: "limit of bytes", Silent: true, change: func(a *Answers, n int) { a.Limit = SilentLimit{Bytes: 200 * n} }},
	{Name: "limit that varies", Silent: true, change: func(a *Answers, n int) {
		a.Limit = SilentLimit{Rows: 3 * n, Varies: true}
	}},
	{Name: "limit with a link", change: func(a *Answers, n int) { a.Limit = SilentLimit{Rows: n, Link: true} }},
	{Name: "limit with a total", change: func(a *Answers, n int) {
		a.Limit = SilentLimit{Rows: n, Total: "X-Total-Count"}
	}},
}

// The size is the number of events by which the total is wrong, or of minutes.
var countIlls = []Ill{
	{Name: "no count", Counts: true, change: func(a *Answers, _ int) { a.Count = Count{Status: 404} }},
	{Name: "count unauthorized", Counts: true, change: func(a *Answers, _ int) { a.Count = Count{Status: 401} }},
	{Name: "count forbidden", Counts: true, change: func(a *Answers, _ int) { a.Count = Count{Status: 403} }},
	{Name: "count unavailable", Counts: true, change: func(a *Answers, _ int) { a.Count = Count{Status: 503} }},
	{Name: "count page", Counts: true, change: func(a *Answers, _ int) { a.Count = Count{HTML: true} }},
	{
		Name: "count without total", Counts: true,
		change: func(a *Answers, _ int) { a.Count = Count{Body: `{"items":[]}`} },
	},
	{Name: "count too low", Counts: true, change: func(a *Answers, n int) { a.Count = Count{Off: -n} }},
	{Name: "count too high", Counts: true, change: func(a *Answers, n int) { a.Count = Count{Off: n} }},
	{Name: "count behind", Counts: true, change: func(a *Answers, n int) { a.Count = Count{Lag: minutes(n)} }},
	{Name: "count ahead", Counts: true, change: func(a *Answers, n int) { a.Count = Count{Lag: -minutes(n)} }},
	{
		Name: "count without late", Counts: true,
		change: func(a *Answers, n int) { a.Count = Count{LateOver: minutes(n)} },
	},
}

var windowIlls = []Ill{
	{Name: "too old 400", change: func(a *Answers, _ int) { a.Windows.TooOld = 400 }},
	{Name: "too old 422", change: func(a *Answers, _ int) { a.Windows.TooOld = 422 }},
	{Name: "no zero-length windows", change: func(a *Answers, _ int) { a.Windows.Backward = 422 }},
	{Name: "too long 400", change: func(a *Answers, _ int) { a.Windows.TooLong, a.Windows.Longest = 400, 30*time.Minute }},
	{Name: "no future, clock behind", change: func(a *Answers, n int) {
		a.Windows.Future, a.Windows.Behind = 400, time.Duration(n%10)*time.Second
	}},
	{Name: "no future", change: func(a *Answers, _ int) { a.Windows.Future = 422 }},
}

var bodyIlls = []Ill{
	{Name: "empty 204", change: empties(NoContent)},
	{Name: "empty body", change: empties(NoBytes)},
	{Name: "empty []", change: empties(EmptyList)},
	{Name: "empty {}", change: empties(EmptyObject)},
	{Name: "empty null", change: empties(EmptyNull)},
	{Name: "empty events", change: empties(EmptyEvents)},
	{Name: "CR", change: func(a *Answers, _ int) { a.CR = true }},
	{Name: "error behind half", change: breaks(Broken{At: BehindRow, Text: ErrorBehind}, Framed)},
	{Name: "page behind half", change: breaks(Broken{At: BehindRow, Text: PageBehind}, Framed)},
	{Name: "text behind half", change: breaks(Broken{At: BehindRow, Text: TextBehind}, Framed)},
	{Name: "error when too many", change: breaks(Broken{At: BehindRow, Text: ErrorBehind, Most: 60}, Framed)},
	{Name: "text when too many", change: breaks(Broken{At: BehindRow, Text: TextBehind, Most: 60}, Framed)},
	{Name: "cut off when too many", change: breaks(Broken{At: InsideField, Most: 60}, Framed)},
	{Name: "closed behind a row", change: breaks(Broken{At: BehindRow}, UntilClose)},
	{Name: "closed inside a field", change: breaks(Broken{At: InsideField}, UntilClose)},
	{Name: "HTTP/1.0", change: breaks(Broken{}, HTTP10)},
	{Name: "HTTP/1.0, behind a row", change: breaks(Broken{At: BehindRow}, HTTP10)},
	{Name: "HTTP/1.0, inside a field", change: breaks(Broken{At: InsideField}, HTTP10)},
	{Name: "gzip unsaid", change: func(a *Answers, _ int) { a.Gzip = GzipUnsaid }},
	{Name: "gzip only said", change: func(a *Answers, _ int) { a.Gzip = GzipOnlySaid }},
}

// The size is the number of minutes of "time lags the filter", and of quarters of an hour of the
// zone.
var rowIlls = []Ill{
	{Name: "joined", change: func(a *Answers, _ int) { a.Joined = true }},
	{Name: "total line", change: func(a *Answers, _ int) { a.LastLine = "Total,%d" }},
	{Name: "end-of-file character", change: func(a *Answers, _ int) { a.LastLine = "\x1a" }},
	{Name: "raw quotes", Alters: true, change: func(a *Answers, _ int) { a.RawQuotes = true }},
	{Name: "one id", Alters: true, change: func(a *Answers, _ int) { a.SharedID, a.SharedIDs = "None", 1 }},
	{Name: "one id for half", Alters: true, change: func(a *Answers, _ int) { a.SharedID, a.SharedIDs = "None", 0.5 }},
	{Name: "volatile column", Alters: true, change: func(a *Answers, _ int) { a.Volatile = "exported_at" }},
	{Name: "time lags the filter", Alters: true, change: func(a *Answers, n int) { a.TimeLag = minutes(n) }},
	{Name: "local time", Alters: true, change: func(a *Answers, n int) {
		a.TimeLayout, a.TimeOffset = LayoutNoZone, time.Duration(n%48)*15*time.Minute
	}},
}

// The size is the number of hours.
var dateIlls = []Ill{
	{Name: "Date of 1970", change: func(a *Answers, _ int) { a.DateAt = time.Unix(0, 0) }},
	{Name: "Date of 2000", change: func(a *Answers, _ int) { a.DateAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	{Name: "Date ahead", change: func(a *Answers, n int) { a.DateOffset = time.Duration(n) * time.Hour }},
	{Name: "Date behind", change: func(a *Answers, n int) { a.DateOffset = -time.Duration(n) * time.Hour }},
	{Name: "Date minutes ahead", change: func(a *Answers, n int) { a.DateOffset = minutes(n) }},
	{Name: "no Date", change: func(a *Answers, _ int) { a.NoDate = true }},
}

const keyInError = `{"errors":[{"code":"x","message":"` + KeyHere + `"}],"requestId":"r"}`

var keyIlls = []Ill{
	{Name: "key in a page", change: repeats("text/html", "<html><body>"+KeyHere+" "+KeyHTML+"</body></html>")},
	{Name: "key in a JSON error", change: repeats("application/json", keyInError)},
	{Name: "key in other forms", change: repeats("text/plain", KeyUpper+" "+KeyBase64+" "+KeyURL)},
	{Name: "key in a bad row", change: func(a *Answers, _ int) { a.MiddleLine = "x," + KeyHere }},
	{Name: "key as encoding", change: func(a *Answers, _ int) { a.ContentEncoding = KeyHere }},
	{Name: "unsolicited answer", change: func(a *Answers, _ int) {
		// net/http drops a 408 without a word: servers close idle connections with one
		a.Unsolicited = "HTTP/1.1 400 Bad Request\r\nX-API-Key: " + KeyHere + "\r\nContent-Length: 0\r\n\r\n"
	}},
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

func empties(e Empty) func(*Answers, int) { return func(a *Answers, _ int) { a.Empty = e } }

func breaks(b Broken, f Framing) func(*Answers, int) {
	return func(a *Answers, _ int) { a.Broken, a.Framing = b, f }
}

func repeats(contentType, text string) func(*Answers, int) {
	return func(a *Answers, _ int) { a.Fault = Fault{Body: text, BodyType: contentType} }
}
