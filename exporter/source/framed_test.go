package source

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Where HTTP does not say how long a body is, one that ends early looks like a whole one.
func TestWhichBodiesHTTPProvesWhole(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		coding []string
		major  int
		framed bool
	}{
		"Content-Length":               {length: 5, major: 1, framed: true},
		"Content-Length 0":             {length: 0, major: 1, framed: true},
		"chunked":                      {length: -1, coding: []string{"chunked"}, major: 1, framed: true},
		"HTTP/2":                       {length: -1, major: 2, framed: true},
		"until the connection is over": {length: -1, major: 1, framed: false},
	} {
		client := newTestClient(t, exportertest.RoundTrip(func(*http.Request) (*http.Response, error) {
			answer := answerWith(200, "")
			answer.ContentLength, answer.TransferEncoding, answer.ProtoMajor = c.length, c.coding, c.major
			return answer, nil
		}))
		response, err := client.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		require.Equal(t, c.framed, response.Framed, name)
		require.NoError(t, response.Body.Close())
	}
}

// A time that the endpoint does not answer for is told by two statuses; any other refusal says nothing of it.
func TestWhatRefusesTheInput(t *testing.T) {
	for status, want := range map[int]bool{400: true, 422: true, 401: false, 404: false, 413: false, 500: false} {
		require.Equal(t, want, RefusesInput(readError(answerWith(status, ""), same)), status)
	}
	require.False(t, RefusesInput(errRequestTimeout))
}
