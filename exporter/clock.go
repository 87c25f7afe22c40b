package exporter

import "time"

// clock tells the server's present: the last response's Date plus the time that went by since, measured by the monotonic clock. The
// local clock decides only until the first response.
type clock struct {
	date     time.Time // zero = no response with a Date yet
	measured time.Time // when date was received; carries the monotonic reading
}

// observe notes a response's Date header; zero means that it had none. It returns how far the server's clock is from the local one.
func (c *clock) observe(date time.Time) (ahead time.Duration) {
	if date.IsZero() {
		return 0
	}
	c.date, c.measured = date, time.Now()
	return date.Sub(c.measured.Round(0))
}

// known says whether a response has told the server's time.
func (c *clock) known() bool { return !c.date.IsZero() }

// now is the server's present. A Date header is cut to whole seconds, so this is never ahead of the server's own clock.
func (c *clock) now() time.Time {
	if c.date.IsZero() {
		return time.Now().UTC().Round(0)
	}
	return c.date.Add(time.Since(c.measured)).UTC()
}
