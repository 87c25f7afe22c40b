package exportertest

import "net/http"

// Empty says what an answer without rows looks like.
type Empty int

const (
	HeaderOnly  Empty = iota
	NoBytes           // 200 and nothing
	LineEndOnly       //
	NoContent         // 204
	EmptyList         // [], as JSON like the next three
	EmptyObject       // {}
	EmptyNull         // null
	EmptyEvents       // {"events":[]}
)

var emptyJSON = map[Empty]string{EmptyList: "[]", EmptyObject: "{}", EmptyNull: "null", EmptyEvents: `{"events":[]}`}

// empty answers a window without events where that is no export; it reports whether it did.
func (x *exchange) empty() bool {
	if x.answers.Empty == NoContent {
		x.record.Status, x.record.Complete = http.StatusNoContent, true
		x.w.WriteHeader(http.StatusNoContent)
		return true
	}
	text, ok := emptyJSON[x.answers.Empty]
	if ok {
		x.sendJSON([]byte(text))
	}
	return ok
}
