package probe

import (
	"io"
	"net/http"
	"time"
)

// Exchange is a request with the head and the size of its answer. It has no header of the request, and of the answer
// only those that say how it is made: others may have a session or a key in them.
type Exchange struct {
	At       time.Time         `json:"at"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Start    string            `json:"start,omitempty"`
	End      string            `json:"end,omitempty"`
	Status   int               `json:"status,omitempty"`
	Protocol string            `json:"protocol,omitempty"`
	Header   map[string]string `json:"header,omitempty"`
	Bytes    int64             `json:"bytes"`
	Seconds  float64           `json:"seconds"` // to the end of the answer, as far as it was read
	Error    string            `json:"error,omitempty"`
}

// shownHeaders are those of an answer that are recorded.
var shownHeaders = []string{
	"Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Retry-After", "Server",
	"Transfer-Encoding", "Vary", "Via", "X-Cache", "X-Request-Id", "X-Total-Count",
}

// Recorder notes what goes over a transport.
type Recorder struct {
	Exchanges []*Exchange

	transport http.RoundTripper
}

// Wrap puts the recorder before a transport.
func (r *Recorder) Wrap(transport http.RoundTripper) http.RoundTripper {
	r.transport = transport
	return r
}

// CloseIdleConnections lets go of the transport's.
func (r *Recorder) CloseIdleConnections() {
	if t, ok := r.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	x := &Exchange{
		At: time.Now().UTC(), Method: request.Method, Path: request.URL.Path,
		Start: query.Get("startTime"), End: query.Get("endTime"),
	}
	r.Exchanges = append(r.Exchanges, x)
	response, err := r.transport.RoundTrip(request)
	x.Seconds = time.Since(x.At).Seconds()
	if err != nil {
		x.Error = err.Error()
		return response, err
	}
	x.Status, x.Protocol, x.Header = response.StatusCode, response.Proto, make(map[string]string)
	for _, name := range shownHeaders {
		if value := response.Header.Get(name); value != "" {
			x.Header[name] = value
		}
	}
	response.Body = &counted{response.Body, x}
	return response, nil
}

// counted counts what is read of a body.
type counted struct {
	io.ReadCloser
	exchange *Exchange
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.exchange.Bytes += int64(n)
	c.exchange.Seconds = time.Since(c.exchange.At).Seconds()
	return n, err
}
