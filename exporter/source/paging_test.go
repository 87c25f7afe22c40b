package source

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPagingIsWhatTheHeadersSay(t *testing.T) {
	for text, want := range map[string]Paging{
		"":                                       {},
		`Link: <https://a/b?c=1>; rel="next"`:    {Next: true},
		`Link: <https://a/b?c=1>; REL=next`:      {Next: true},
		`Link: </1>; rel="prev", </3>; rel=next`: {Next: true},
		`Link: </1>; title="x"; rel="last next"`: {Next: true},
		`Link: </next>; rel="prev"`:              {},
		`Link: </1>; rel="nextcloud"`:            {},
		"X-Total-Count: 5":                       {Total: 5},
		"x-total: 7":                             {Total: 7},
		"Content-Range: items 0-4/12":            {Total: 12},
		"Content-Range: items 0-4/*":             {},
		"Content-Range: bytes 0-99/200":          {Part: true},
		"Content-Range: bytes 100-199/200":       {Part: true},
		"Content-Range: bytes 0-199/200":         {},
		"Content-Range: bytes */200":             {Total: 200},
		"X-Total-Count: many":                    {},
		"X-Total-Count: -3":                      {},
	} {
		name, value, _ := strings.Cut(text, ": ")
		header := http.Header{}
		if name != "" {
			header.Add(name, value)
		}
		require.Equal(t, want, pagingOf(header), text)
	}
	require.True(t, Paging{Total: 5}.More(4))
	require.False(t, Paging{Total: 5}.More(5))
	require.False(t, Paging{Total: 5}.More(6), "a total of something else")
	require.True(t, Paging{Next: true}.More(6))
}
