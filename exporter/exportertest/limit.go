package exportertest

import (
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// SilentLimit leaves out what goes beyond so many rows of an answer: 200, well-formed, and the rest
// is missing. The zero value leaves out nothing.
type SilentLimit struct {
	Rows   int    // at most so many; 0 = no limit
	Bytes  int    // at most about so many bytes of rows; 0 = no limit
	Varies bool   // each answer has another limit, from a third of Rows on
	Newest bool   // the newest rows are kept, not the oldest
	Keeps  Kept   // which rows are kept if not these
	Link   bool   // a Link header with rel="next" leads to the next ones
	Total  string // name of a header that says how many there are, limited or not; "" = none
}

// Kept says which rows an answer shows that has more than Rows.
type Kept int

const (
	KeepsOneEnd  Kept = iota // the oldest, or the newest
	KeepsEnds                // all but a tenth in the middle
	KeepsMost                // all but each seventh
	KeepsNearly              // all but one in two thousand, always the same ones
	KeepsPerUser             // of each user as many as Rows: the oldest, or the newest
)

// thin returns the events that are kept.
func (l SilentLimit) thin(events []*Event) (kept []*Event) {
	if len(events) <= l.Rows {
		return events
	}
	of := make(map[string]int)
	for i, e := range events {
		of[e.UserName]++
		if l.keeps(e, i, len(events), of[e.UserName]) {
			kept = append(kept, e)
		}
	}
	return kept
}

// keeps reports whether the event at a place among so many is kept, which is the so manieth of its user.
func (l SilentLimit) keeps(e *Event, at, events, ofUser int) bool {
	switch l.Keeps {
	case KeepsEnds:
		return at < events*9/20 || at >= events*11/20
	case KeepsMost:
		return at%7 != 3
	case KeepsNearly:
		return crc32.ChecksumIEEE([]byte(e.ID))%2000 != 1
	default:
		return ofUser <= l.Rows
	}
}

// limit returns the page that an answer shows of its events, which are by time.
func (x *exchange) limit(events []*Event) ([]*Event, *refusal) {
	l := x.answers.Limit
	if l.Total != "" {
		x.w.Header().Set(l.Total, strconv.Itoa(len(events)))
	}
	skip, refused := offset(x.r.URL.Query())
	if refused != nil {
		return nil, refused
	}
	if l.Newest {
		slices.Reverse(events)
	}
	if l.Keeps != KeepsOneEnd {
		events, l.Rows = l.thin(events), 0
	}
	size := l.size(events[min(skip, len(events)):], x.index)
	page, more := pageOf(events, skip, size)
	if l.Newest {
		slices.Reverse(page)
	}
	if more && l.Link {
		x.w.Header().Set("Link", "<"+x.at(skip+size)+`>; rel="next"`)
	}
	return page, nil
}

// size is how many of events the answer with this index shows at most; 0 = all.
func (l SilentLimit) size(events []*Event, index int) int {
	size := l.Rows
	if l.Varies {
		size -= rand.New(rand.NewPCG(uint64(index), 3)).IntN(1 + size*2/3)
	}
	if l.Bytes == 0 {
		return size
	}
	left := l.Bytes
	for n, e := range events {
		left -= len(e.ID) + len(e.UserName) + len(e.UserAgent) + len(e.ResourceName) + leastRow
		if left < 0 && (size == 0 || n < size) {
			return max(n, 1)
		}
	}
	return size
}

// leastRow is about how many bytes a row's other fields take.
const leastRow = 120

// pageOf returns size events behind the first skip ones, and reports whether more follow. Size 0 =
// all.
func pageOf(events []*Event, skip, size int) (page []*Event, more bool) {
	events = events[min(skip, len(events)):]
	if size <= 0 || len(events) <= size {
		return events, false
	}
	return events[:size], true
}

// at is the address of the same request from another place on. The cursor is what [offset] reads.
func (x *exchange) at(skip int) string {
	query := x.r.URL.Query()
	query.Set("cursor", strconv.Itoa(skip))
	scheme := "https"
	if x.r.TLS == nil && x.r.URL.Scheme != "https" {
		scheme = "http"
	}
	return (&url.URL{Scheme: scheme, Host: x.r.Host, Path: x.r.URL.Path, RawQuery: query.Encode()}).String()
}

func offset(query url.Values) (int, *refusal) {
	text := query.Get("cursor")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &refusal{status: http.StatusUnprocessableEntity, field: "cursor", message: "no such cursor"}
	}
	return n, nil
}
