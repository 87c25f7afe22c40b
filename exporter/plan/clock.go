package plan

import (
	"time"
)

// Clock tells the server's present: the last response's Date plus the time that went by since, measured by the monotonic clock. The
// local clock decides only until the first response.
type Clock struct {
	date     time.Time // zero = no response with a Date yet
	measured time.Time // when date was received; carries the monotonic reading
	doubted  time.Time // since when answers have been ahead of what went by; zero = they are not
}

const (
	clockJump  = time.Minute      // ahead of what went by since the last Date is not believed at once …
	clockTrust = 10 * time.Minute // … but when it has lasted for so long: one wrong node must not move the checkpoint past what it did not read
)

// Observe notes a response's Date header; zero means that it had none. It returns how far the server's clock is from the local one.
func (c *Clock) Observe(date time.Time) (ahead time.Duration) {
	if date.IsZero() {
		return 0
	}
	now := time.Now()
	ahead = date.Sub(now.Round(0))
	if c.Known() && date.Sub(c.Now()) > clockJump {
		if c.doubted.IsZero() {
			c.doubted = now
		}
		if now.Sub(c.doubted) < clockTrust {
			return ahead
		}
	}
	c.date, c.measured, c.doubted = date, now, time.Time{}
	return ahead
}

// Known says whether a response has told the server's time.
func (c *Clock) Known() bool { return !c.date.IsZero() }

// Now is the server's present. A Date header is cut to whole seconds, so this is never ahead of the server's own clock.
func (c *Clock) Now() time.Time {
	if c.date.IsZero() {
		return time.Now().UTC().Round(0)
	}
	return c.date.Add(time.Since(c.measured)).UTC()
}
