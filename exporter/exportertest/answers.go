package exportertest

import (
	"strings"
	"time"
)

// Answers says how the endpoint answers: a field for each thing that is not known of it. The zero value is
// snake_case CSV in ascending order with microseconds and Z, chunked and not compressed.
type Answers struct {
	Header      Spelling
	Acronyms    bool          // ID and IP in capitals wherever the spelling begins words with them: "Event ID", "sourceIP"
	Columns     []string      // columns by snake_case name; nil = all. One that no event has is always null
	Without     []string      // columns that are missing
	Extra       []string      // further columns, each with its name and "value n"
	ColumnOrder Order         // of the columns: as listed, backwards or shuffled by the seed
	Order       Order         // of the rows by time
	TimeLayout  string        // of event_time: package time's, or an Epoch…; "" = LayoutMicros
	TimeOffset  time.Duration // east of UTC of the zone that times are written in
	ContentType string        // "" = text/csv, or application/json with JSONString; "none" = no such header

	JSONString bool   // the whole CSV as one JSON string
	BOM        bool   // U+FEFF before the header
	CRLF       bool   // line ends
	CR         bool   // line ends of CR alone
	QuoteAll   bool   // fields that need it or not
	Null       string // what stands for null; QuotedEmpty is possible
	Empty      Empty
	Gzip       Compression
	Torn       bool // the last row has no line end
	Joined     bool // put together of two exports: a mark and the header again in the middle, the columns backwards
	RawQuotes  bool // a quote in a field is no reason to quote it, and is never doubled

	MiddleLine string // a line in the middle of the rows, as it stands
	LastLine   string // behind the rows, as it stands and without a line end; %d in it is the number of rows
	Broken     Broken
	Volatile   string        // name of a further column that differs in each answer
	SharedID   string        // event_id of several rows …
	SharedIDs  float64       // … this share of them, always the same ones
	TimeLag    time.Duration // event_time is so much earlier than what the endpoint files the event under

	ContentLength   bool    // said instead of chunks
	Framing         Framing // goes before ContentLength
	ContentEncoding string  // said whatever the body is
	// sent behind an export, on the connection that is idle then; over sockets and HTTP/1.1 only
	Unsolicited string
	Retention   time.Duration // how long events are kept; 0 = Retention, negative = for ever
	Forgets     bool          // what is not kept is gone for good, even if the clock steps back

	RowLimit      int           // more rows than this are refused …
	RowLimitAbove time.Duration // … unless the window is at most this long
	RowLimitWith  TooMany
	Limit         SilentLimit
	Windows       Windows
	Count         Count
	Fault         Fault // goes wrong with every export that no other fault befalls

	Errors     ErrorForm
	NoDate     bool          // no Date header
	DateOffset time.Duration // of the Date header from the server's clock
	DateAt     time.Time     // what the Date header says, always; zero = the server's clock
	Latency    time.Duration // before anything is answered
	RowLatency time.Duration // after every 100th row; what was written so far is sent on before
}

// Layouts of event_time that a service might use, beside those of package time. All but the last three are
// for [time.Time.Format].
const (
	LayoutMicros  = "2006-01-02T15:04:05.000000Z07:00"
	LayoutNanos   = "2006-01-02T15:04:05.000000000Z07:00"
	LayoutMillis  = "2006-01-02T15:04:05.000Z07:00"
	LayoutSeconds = "2006-01-02T15:04:05Z07:00"
	LayoutShort   = "2006-01-02T15:04:05.999999Z07:00" // a fraction only where there is one
	LayoutOffset  = "2006-01-02T15:04:05.000000-07:00" // +00:00
	LayoutNoZone  = "2006-01-02T15:04:05.000000"       // UTC, unsaid
	LayoutSpace   = "2006-01-02 15:04:05.000000-07:00" // no T
	EpochSeconds  = "epoch seconds"                    // since 1970
	EpochMillis   = "epoch milliseconds"               //
	EpochMicros   = "epoch microseconds"               //
)

// QuotedEmpty as Answers.Null writes null as two quotes.
const QuotedEmpty = `""`

// Spelling of the header.
type Spelling int

const (
	Snake Spelling = iota // event_time
	Title                 // Event Time
	Camel                 // eventTime
	Upper                 // EVENT_TIME
)

// Order of rows or columns.
type Order int

const (
	Ascending Order = iota
	Descending
	Shuffled
)

// Compression says when answers are compressed.
type Compression int

const (
	GzipNever Compression = iota
	GzipIfAccepted
	GzipAlways
	GzipUnsaid   // always compressed, and no Content-Encoding says so
	GzipOnlySaid // never compressed, and Content-Encoding says gzip
)

// TooMany says how a window with too many rows is refused.
type TooMany int

const (
	TooMany413     TooMany = iota // 413 REQUEST_ENTITY_TOO_LARGE
	TooMany400                    // 400 with that code
	TooManyTimeout                // 504 TIMEOUT_ERROR
	TooManyHang                   // no answer until the client goes
)

// ErrorForm is the form of what is no export.
type ErrorForm int

const (
	ErrorBodies ErrorForm = iota // as the OpenAPI text has them
	FastAPI                      // {"detail": …}, of the framework itself
	HTMLPages                    // of a proxy in front
)

func (a *Answers) contentType() string {
	switch {
	case a.ContentType != "":
		return a.ContentType
	case a.JSONString:
		return "application/json"
	default:
		return "text/csv; charset=utf-8"
	}
}

// keeps returns how long events are kept.
func (a *Answers) keeps() time.Duration {
	if a.Retention == 0 {
		return Retention
	}
	return a.Retention
}

// spell writes a snake_case name as the header has it.
func (a *Answers) spell(name string) string {
	if a.Header == Upper {
		return strings.ToUpper(name)
	}
	if a.Header == Snake {
		return name
	}
	words := strings.Split(name, "_")
	for i, word := range words {
		switch {
		case a.Header == Camel && i == 0:
		case a.Acronyms && (word == "id" || word == "ip"):
			words[i] = strings.ToUpper(word)
		case word != "":
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	if a.Header == Camel {
		return strings.Join(words, "")
	}
	return strings.Join(words, " ")
}
