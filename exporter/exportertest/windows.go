package exportertest

import (
	"net/http"
	"time"
)

// Windows says which windows are refused, each kind with a status, such as 400 or 422; 0 = answered.
// The server's own clock decides, whatever its Date header says.
type Windows struct {
	TooOld   int           // startTime is older than …
	TooOldAt time.Duration // … this; 0 = what is kept
	Backward int           // startTime is not before endTime
	Future   int           // endTime is after the server's present …
	Behind   time.Duration // … or after what is so long before it: another clock decides
	TooLong  int           // the window is longer than …
	Longest  time.Duration // … this

	WholeSeconds bool // fractions of both times are cut off before anything else
}

// refuses returns why a window is refused. A time that was not given is never the reason.
func (x *exchange) refuses(start, end time.Time) *refusal {
	w := x.answers.Windows
	oldest := w.TooOldAt
	if oldest == 0 {
		oldest = x.answers.keeps()
	}
	switch {
	case w.TooOld != 0 && !start.IsZero() && start.Before(x.now.Add(-oldest)):
		return windowRefusal(w.TooOld, "startTime", "startTime is older than what is kept")
	case w.Backward != 0 && !end.IsZero() && !start.Before(end):
		return windowRefusal(w.Backward, "startTime", "startTime must be before endTime")
	case w.TooLong != 0 && end.Sub(start) > w.Longest:
		return windowRefusal(w.TooLong, "endTime", "the range is too long")
	case w.Future != 0 && end.After(x.now.Add(-w.Behind)):
		return windowRefusal(w.Future, "endTime", "endTime must not be in the future")
	}
	return nil
}

func windowRefusal(status int, field, message string) *refusal {
	if status == http.StatusBadRequest {
		return &refusal{status: status, code: "INVALID_INPUT_ERROR", field: field, message: message}
	}
	return &refusal{status: status, field: field, message: message}
}
