package csv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A number is a date of the years that records have, or a time since 1970; or it is none.
func TestTimesThatAreNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"197001010000":         "1970-01-01T00:00:00Z",
		"199912312359":         "1999-12-31T23:59:00Z",
		"210612312359":         "2106-12-31T23:59:00Z",
		"21061231235958":       "2106-12-31T23:59:58Z",
		"196912312359":         "1976-03-29T01:51:52.359Z",
		"210712312359":         "1976-09-04T19:11:52.359Z",
		"999999999.5":          "2001-09-09T01:46:39.5Z",
		"99999999999.25":       "5138-11-16T09:46:39.25Z",
		"000000000":            "1970-01-01T00:00:00Z",
		"99999999999999":       "5138-11-16T09:46:39.999Z",
		"99999999999999999":    "5138-11-16T09:46:39.999999Z",
		"99999999":             "",
		"99999999.5":           "",
		"999999999999.5":       "",
		"18446744073709551617": "",
	} {
		got, ok := parseEventTime([]byte(text))
		require.Equal(t, want != "", ok, text)
		if ok {
			require.Equal(t, want, got.Format(time.RFC3339Nano), text)
		}
	}
}
