package exportertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CountPath is the sister operation that lists events and says how many there are.
const CountPath = "/audit-log"

// Count says how the sister operation answers. The zero value counts what the export shows.
type Count struct {
	Status int    // answers this status instead; 404 = there is no such operation
	HTML   bool   // answers a page, with 200 or Status
	Body   string // answers this as JSON with 200

	Off      int           // added to the total, which does not go below 0
	Lag      time.Duration // counts events so long after the export shows them; negative = so long before
	LateOver time.Duration // never counts what appeared later than so long after its time; 0 = counts all
	ByID     bool          // counts what has the same id once
	Latency  time.Duration // before an answer
}

// counts reports whether an event is counted.
func (c *Count) counts(e *Event, now time.Time) bool {
	if c.LateOver > 0 && e.appears().Sub(e.filed()) > c.LateOver {
		return false
	}
	return !e.appears().Add(c.Lag).After(now)
}

// eventPage is the answer of the sister operation; only items and total are required there.
type eventPage struct {
	Items       []*Event `json:"items"`
	Total       int      `json:"total"`
	CurrentPage string   `json:"current_page"`
	NextPage    *string  `json:"next_page"`
}

// count answers a request of the sister operation.
func (x *exchange) count() {
	if x.pause(x.answers.Count.Latency) != nil {
		return
	}
	switch c := x.answers.Count; {
	case c.HTML:
		x.record.Status, x.record.Complete = http.StatusOK, true
		if c.Status != 0 {
			x.record.Status = c.Status
		}
		writePage(x.w, x.record.Status, "Sign in, please")
	case c.Status != 0:
		x.refuse(refusal{status: c.Status, message: "nothing is counted here"}, x.answers.Errors)
	case c.Body != "":
		x.sendJSON([]byte(c.Body))
	default:
		page, refused := x.page(c)
		if refused != nil {
			x.refuse(*refused, x.answers.Errors)
			return
		}
		text, _ := json.Marshal(page) // texts and a number do not fail
		x.sendJSON(text)
	}
}

func (x *exchange) page(c Count) (*eventPage, *refusal) {
	query := x.r.URL.Query()
	events, refused := x.find(func(e *Event) bool { return c.counts(e, x.now) })
	if refused != nil {
		return nil, refused
	}
	if c.ByID {
		events = onePerID(events)
	}
	size, refused := pageSize(query)
	if refused != nil {
		return nil, refused
	}
	skip, refused := offset(query)
	if refused != nil {
		return nil, refused
	}
	page := &eventPage{Items: []*Event{}, Total: max(len(events)+c.Off, 0), CurrentPage: strconv.Itoa(skip)}
	if size == 0 {
		return page, nil
	}
	items, more := pageOf(events, skip, size)
	page.Items = append(page.Items, items...)
	if more {
		next := strconv.Itoa(skip + size)
		page.NextPage = &next
	}
	return page, nil
}

// onePerID returns the first event of each id.
func onePerID(events []*Event) (first []*Event) {
	known := make(map[string]bool)
	for _, e := range events {
		if !known[e.ID] {
			known[e.ID] = true
			first = append(first, e)
		}
	}
	return first
}

// pageSize reads the parameter as the OpenAPI document has it: 0 to 100, 50 unless it is given.
func pageSize(query url.Values) (int, *refusal) {
	text := query.Get("size")
	if text == "" {
		return 50, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 100 {
		return 0, &refusal{status: http.StatusUnprocessableEntity, field: "size", message: "size must be 0 to 100"}
	}
	return n, nil
}

// sendJSON answers 200; faults that break answers break this one too.
func (x *exchange) sendJSON(text []byte) {
	x.record.Status = http.StatusOK
	x.w.Header().Set("Content-Type", "application/json")
	out := newFaulty(x)
	// With its length said, an answer that stalls behind its end would be whole: the client goes on with the connection,
	// and its end is never seen here.
	if x.fault.EndAfter == 0 && x.fault.StallAfter == 0 {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		out.total(len(text))
	}
	x.w.WriteHeader(http.StatusOK)
	if _, err := out.Write(text); err != nil {
		return // the client has gone, or the fault ended it
	}
	x.record.Complete = out.finish() == nil
}
