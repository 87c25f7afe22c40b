package witness

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTotal(t *testing.T) {
	for body, want := range map[string]int64{
		`{"items":[],"total":0}`: 0,
		`{"items": [{"event_id": "1"}, {}], "total": 7, "current_page": null, "next_page": "x"}`: 7,
		`{"total":9223372036854775807,"items":[]}`:                                               1<<63 - 1,
		" {\"items\":[]\n,\n\"total\"\n:\n 12 }\n":                                               12,
	} {
		got, err := Total([]byte(body))
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	for _, body := range []string{
		``, `null`, `7`, `[]`, `{}`, `<!DOCTYPE html><html>1</html>`, `{"items":[]}`, `{"total":7}`,
		`{"items":null,"total":7}`, `{"items":{},"total":7}`, `{"items":7,"total":7}`,
		`{"items":[],"total":null}`, `{"items":[],"total":"7"}`, `{"items":[],"total":-1}`,
		`{"items":[],"total":-0}`, `{"items":[],"total":7.0}`, `{"items":[],"total":7e2}`, `{"items":[],"total":[7]}`,
		`{"items":[],"total":9223372036854775808}`, `{"items":[],"Total":7}`, `{"items":[{},{}],"total":1}`,
		`{"items":[],"total":7}}`, `{"items":[],"total":7`, `{"detail":"Not Found"}`, "\x1f\x8b\x08",
	} {
		_, err := Total([]byte(body))
		require.ErrorIs(t, err, errNoCount, body)
	}
}
