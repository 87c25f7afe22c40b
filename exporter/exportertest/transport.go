package exportertest

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// Transport returns a way to the server without sockets. Nothing but channels and locks is waited for, so it works in a synctest bubble, and
// the answer's body streams. A broken connection is io.ErrUnexpectedEOF.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

type memory struct{ handler http.Handler }

// RoundTrip serves the request in a goroutine that ends with the handler.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	w := &memoryWriter{header: make(http.Header), body: writer, began: make(chan struct{})}
	broken := make(chan error, 1)
	go func() {
		defer func() {
			var err error
			if recover() != nil {
				err = io.ErrUnexpectedEOF
			}
			writer.CloseWithError(err)
			broken <- err
			w.begin(http.StatusOK)
		}()
		m.handler.ServeHTTP(w, r)
	}()
	stop := contextCloses(r, reader)
	select {
	case <-w.began:
	case <-r.Context().Done():
		stop()
		reader.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	if !w.wrote() {
		if err := <-broken; err != nil {
			stop()
			return nil, err
		}
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: memoryBody{reader, stop}, ContentLength: -1, Request: r,
	}, nil
}

// contextCloses breaks the body when the request's context ends.
func contextCloses(r *http.Request, reader *io.PipeReader) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-r.Context().Done():
			reader.CloseWithError(r.Context().Err())
		case <-done:
		}
	}()
	return sync.OnceFunc(func() { close(done) })
}

type memoryBody struct {
	*io.PipeReader
	stop func()
}

func (b memoryBody) Close() error {
	b.stop()
	return b.PipeReader.Close()
}

type memoryWriter struct {
	header, sent http.Header
	status       int
	once         sync.Once
	mu           sync.Mutex
	explicit     bool
	began        chan struct{}
	body         *io.PipeWriter
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.mu.Lock()
	w.explicit = true
	w.mu.Unlock()
	w.begin(status)
}

func (w *memoryWriter) begin(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		for name, values := range w.sent {
			if values == nil {
				delete(w.sent, name)
			}
		}
		close(w.began)
	})
}

func (w *memoryWriter) wrote() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.explicit
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.body.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = http.ErrHandlerTimeout
	}
	return n, err
}

// Flush does nothing: what is written is there.
func (w *memoryWriter) Flush() {}
