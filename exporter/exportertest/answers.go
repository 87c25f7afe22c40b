package exportertest

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Answers says how the endpoint answers: a field for each thing that is not known of it. The zero value is snake_case CSV in ascending order
// with microseconds and Z.
type Answers struct {
	Header      Spelling
	Columns     []string // order and choice of columns by snake_case name; nil = all
	Extra       []string // further columns, each with its name and "value n"
	Order       Order
	TimeLayout  string // of event_time, as package time has it; "" = microseconds and Z
	ContentType string // "" = text/csv, or application/json with JSONString

	JSONString bool // the whole CSV as one JSON string
	BOM        bool
	CRLF       bool
	QuoteAll   bool
	Null       string // what stands for null
	Empty      Empty
	Gzip       Compression
	Torn       bool // the last row has no line end

	RowLimit      int           // more rows than this are refused …
	RowLimitAbove time.Duration // … unless the window is at most this long
	RowLimitWith  TooMany

	FastAPIErrors bool          // {"detail": …} instead of an ErrorBody
	NoDate        bool          // no Date header
	DateOffset    time.Duration // of the Date header from the server's clock
	Latency       time.Duration // before anything is answered
	RowLatency    time.Duration // before every 100th row
}

// Spelling of the header.
type Spelling int

const (
	Snake Spelling = iota // event_time
	Title                 // Event Time
	Camel                 // eventTime
	Upper                 // EVENT_TIME
)

// Order of the rows.
type Order int

const (
	Ascending Order = iota
	Descending
	Shuffled
)

// Empty says what an answer without rows looks like.
type Empty int

const (
	HeaderOnly Empty = iota
	NoBytes
	LineEndOnly
)

// Compression says when answers are compressed.
type Compression int

const (
	GzipNever Compression = iota
	GzipIfAccepted
	GzipAlways
)

// TooMany says how a window with too many rows is refused.
type TooMany int

const (
	TooMany413     TooMany = iota // 413 REQUEST_ENTITY_TOO_LARGE
	TooMany400                    // 400 with that code
	TooManyTimeout                // 504 TIMEOUT_ERROR
)

func (a Answers) tooMany() *refusal {
	switch a.RowLimitWith {
	case TooMany400:
		return &refusal{http.StatusBadRequest, "REQUEST_ENTITY_TOO_LARGE", "too many rows"}
	case TooManyTimeout:
		return &refusal{http.StatusGatewayTimeout, "TIMEOUT_ERROR", "the query took too long"}
	default:
		return &refusal{http.StatusRequestEntityTooLarge, "REQUEST_ENTITY_TOO_LARGE", "too many rows"}
	}
}

func (a Answers) contentType() string {
	switch {
	case a.ContentType != "":
		return a.ContentType
	case a.JSONString:
		return "application/json"
	default:
		return "text/csv; charset=utf-8"
	}
}

func (a Answers) columns() []string {
	if a.Columns != nil {
		return a.Columns
	}
	return ColumnNames
}

// spell writes a snake_case name as the header has it.
func (s Spelling) spell(name string) string {
	words := strings.Split(name, "_")
	switch s {
	case Title, Camel:
		for i, word := range words {
			if s == Title || i > 0 {
				words[i] = strings.ToUpper(word[:1]) + word[1:]
			}
		}
		return strings.Join(words, map[Spelling]string{Title: " ", Camel: ""}[s])
	case Upper:
		return strings.ToUpper(name)
	default:
		return name
	}
}

func order(events []Event, o Order, seed int64) {
	switch o {
	case Descending:
		slices.Reverse(events)
	case Shuffled:
		random := rand.New(rand.NewPCG(uint64(seed), uint64(len(events))))
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
}
