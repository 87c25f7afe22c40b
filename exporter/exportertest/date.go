package exportertest

import "net/http"

// date says what time it is, or what the answers have it say.
func (x *exchange) date() {
	if x.answers.NoDate {
		x.w.Header()["Date"] = nil
		return
	}
	said := x.now.Add(x.answers.DateOffset)
	if !x.answers.DateAt.IsZero() {
		said = x.answers.DateAt
	}
	x.w.Header().Set("Date", said.UTC().Format(http.TimeFormat))
}
