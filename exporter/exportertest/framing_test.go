package exportertest

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire returns the bytes that travel to a client of HTTP/1.1, until the connection ends or nothing
// more comes.
func wire(t *testing.T, s *Server) string {
	t.Helper()
	web := httptest.NewServer(s)
	defer web.Close()
	connection, err := net.Dial("tcp", web.Listener.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, "GET "+Path+" HTTP/1.1\r\nHost: x\r\nX-API-Key: "+testKey+"\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	text, err := io.ReadAll(connection)
	if err != nil {
		require.ErrorContains(t, err, "timeout")
	}
	return string(text)
}

const (
	headers    = "Content-Type: text/csv; charset=utf-8\r\nDate: Wed, 06 May 2026 07:08:09 GMT\r\n"
	withLength = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n" + headers + "\r\n"
	closing    = " 200 OK\r\nConnection: close\r\n" + headers + "\r\n"
	twoRows    = "event_id\n1\n2\n"
)

func TestFramingOnTheWire(t *testing.T) {
	for name, c := range map[string]struct {
		answers Answers
		want    string
	}{
		"length":          {Answers{ContentLength: true}, withLength + twoRows},
		"until close":     {Answers{Framing: UntilClose}, "HTTP/1.1" + closing + twoRows},
		"length or close": {Answers{Framing: UntilClose, ContentLength: true}, "HTTP/1.1" + closing + twoRows},
		"HTTP/1.0":        {Answers{Framing: HTTP10}, "HTTP/1.0" + closing + twoRows},
		"behind a row": {
			Answers{Framing: HTTP10, Broken: Broken{At: BehindRow}},
			"HTTP/1.0" + closing + "event_id\n1\n",
		},
		"unsolicited": {
			Answers{Unsolicited: "HTTP/1.1 400 Bad Request\r\n\r\n" + KeyHere},
			withLength + twoRows + "HTTP/1.1 400 Bad Request\r\n\r\nkey",
		},
		"not behind HTTP/1.0": {Answers{Framing: HTTP10, Unsolicited: "x"}, "HTTP/1.0" + closing + twoRows},
		"no Date": {
			Answers{Framing: HTTP10, NoDate: true},
			"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/csv; charset=utf-8\r\n\r\n" + twoRows,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = []string{"event_id"}
			assert.Equal(t, c.want, wire(t, newServer(c.answers, at("1", -time.Hour), at("2", -time.Minute))))
		})
	}
}

// Behind an answer that is not whole nothing is added.
func TestUnsolicitedIsBehindWholeAnswers(t *testing.T) {
	s := newServer(Answers{Columns: []string{"event_id"}, Unsolicited: "x"}, at("1", -time.Hour), at("2", -time.Minute))
	for _, fault := range []Fault{{EndAfter: 9}, {CutAfter: 9}} {
		s.Fail(fault)
		assert.Regexp(t, "\r\n\r\nevent_id\n$", wire(t, s))
	}
	s.Fail(Fault{Status: 503})
	assert.NotContains(t, wire(t, s), "}\nx", "nor behind what is no export")
}

// A client is told the same without sockets as over them. Over HTTP/2 every answer has an end.
func TestFramingAsAClientSeesIt(t *testing.T) {
	type seen struct {
		protocol string
		length   int64
		transfer []string
		closes   bool
	}
	for framing, want := range map[Framing]seen{
		Framed:     {"HTTP/1.1", -1, []string{"chunked"}, false},
		UntilClose: {"HTTP/1.1", -1, nil, true},
		HTTP10:     {"HTTP/1.0", -1, nil, true},
	} {
		for _, fault := range []Fault{{}, {EndAfter: 5000}, {CutAfter: 5000}} {
			onEachWay(t, time.Minute, withRows, func(t *testing.T, s *Server, fetch func() (*http.Response, string, error)) {
				s.SetAnswers(func(a *Answers) { a.Framing = framing })
				s.Fail(fault)
				response, text, err := fetch()
				if response.ProtoMajor == 2 {
					return // its frames say the end: TestFaultsThatBreakTheAnswer
				}
				// these tests ask for a connection each, so that net/http's client adds Close by itself
				got := seen{
					response.Proto, response.ContentLength, response.TransferEncoding,
					response.Close && framing != Framed,
				}
				assert.Equal(t, want, got)
				assert.NotContains(t, response.Header, "Transfer-Encoding")
				if framing != Framed { // net/http's client takes it away where it is read as Close
					assert.Equal(t, framing == HTTP10, response.Header.Get("Connection") == "close")
				}
				assert.Equal(t, fault.CutAfter > 0 && framing == Framed, err != nil, "whether a cut shows")
				if !fault.none() {
					assert.LessOrEqual(t, len(text), 5000)
				}
				assert.Equal(t, fault.none(), last(s).Complete)
			})
		}
	}
}

// What net/http's client says of bytes that it did not ask for.
func TestUnsolicitedIsSeenByNetHTTP(t *testing.T) {
	var said lockedBuffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&said)
	const unsolicited = "HTTP/1.1 400 Bad Request\r\nX-API-Key: " + KeyHere + "\r\n\r\n"
	s := newServer(Answers{Unsolicited: unsolicited}, at("1", -time.Minute))
	web := httptest.NewServer(s)
	defer web.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+Path, nil)
	require.NoError(t, err)
	request.Header.Set("X-API-Key", testKey)
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, []string{"1"}, ids(t, string(text)))
	seen := func() bool { return strings.Contains(said.String(), "Unsolicited response") }
	require.Eventually(t, seen, 10*time.Second, time.Millisecond)
	assert.Contains(t, said.String(), `X-API-Key: key`)
	assert.True(t, last(s).Complete)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
