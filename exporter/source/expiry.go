package source

import (
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Expiry says that a credential will expire, early enough for somebody to make another.
type Expiry struct {
	At   time.Time // zero = it is not known
	told int       // of expiryNotices
}

// expiryNotices is how long before the end it is said.
var expiryNotices = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, 0}

// Due returns what is to be said now, "" if that is nothing.
func (e *Expiry) Due(now time.Time) string {
	passed := 0
	for passed < len(expiryNotices) && !e.At.IsZero() && e.At.Sub(now) <= expiryNotices[passed] {
		passed++
	}
	if passed <= e.told {
		return ""
	}
	e.told = passed
	at := e.At.Format(time.RFC3339)
	if passed == len(expiryNotices) {
		return fmt.Sprintf("the credential has expired at %s, as credential_expires says: replace it, and set that anew", at)
	}
	left := logline.Duration(e.At.Sub(now).Truncate(time.Minute))
	if days := (e.At.Sub(now) + time.Hour) / (24 * time.Hour); days == 1 {
		left = "1 day"
	} else if days > 1 {
		left = fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("the credential expires in %s, at %s, as credential_expires says: "+
		"replace it in time, and set that anew", left, at)
}
