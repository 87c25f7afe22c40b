package exportertest

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Transport returns a way to the server without sockets. Nothing but channels and locks is waited
// for, so it works in a synctest bubble, and the answer's body streams. A broken connection is
// io.ErrUnexpectedEOF, or the end where Framing hides it. Like a transport with compression turned
// off, it neither asks for gzip nor unpacks it.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

type memory struct{ handler http.Handler }

// RoundTrip serves the request in a goroutine that ends with the handler.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx, cancel := context.WithCancel(r.Context())
	served := r.Clone(ctx)
	served.Body = http.NoBody
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
	w := &memoryWriter{header: make(http.Header), body: writer, began: make(chan struct{})}
	go w.serve(m.handler, served)
	select {
	case <-w.began:
	case <-ctx.Done():
		cancel()
		return nil, ctx.Err()
	}
	if w.broken {
		cancel()
		return nil, io.ErrUnexpectedEOF
	}
	return w.response(r, &memoryBody{PipeReader: reader, left: w.length, cancel: cancel}), nil
}

// response is the answer as net/http's client would describe it, its framing included.
func (w *memoryWriter) response(r *http.Request, body io.ReadCloser) *http.Response {
	response := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: w.length, Close: w.untilClose, Request: r,
	}
	if w.old {
		response.Proto, response.ProtoMinor = "HTTP/1.0", 0
	}
	if w.length < 0 && !w.untilClose {
		response.TransferEncoding = []string{"chunked"}
	}
	return response
}

// memoryBody is the client's end of an answer.
type memoryBody struct {
	*io.PipeReader
	left   int64 // of a declared length; -1 = none was
	cancel context.CancelFunc
}

// Read finds an answer that ends before its declared length broken.
func (b *memoryBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.PipeReader.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
		if err == io.EOF && b.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// Close ends the handler's context, as a closed connection does.
func (b *memoryBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// memoryWriter is the handler's end. What the client reads of it is set before began is closed.
type memoryWriter struct {
	header http.Header
	body   *io.PipeWriter
	old    bool // speaks HTTP/1.0
	once   sync.Once
	began  chan struct{}

	status     int
	sent       http.Header
	length     int64 // -1 = not said
	untilClose bool  // the end of the connection is the end of the answer
	broken     bool
}

func (w *memoryWriter) serve(handler http.Handler, r *http.Request) {
	defer func() {
		switch p := recover(); p {
		case nil:
			w.WriteHeader(http.StatusOK)
			w.body.CloseWithError(r.Context().Err()) // a handler that ends because its client has gone ends nothing properly
		case http.ErrAbortHandler:
			w.once.Do(func() { w.broken = true; close(w.began) })
			w.body.CloseWithError(w.cut())
		default:
			panic(p)
		}
	}()
	handler.ServeHTTP(w, r)
}

// cut is how the client sees a connection that ends too early.
func (w *memoryWriter) cut() error {
	if w.untilClose {
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// Header implements http.ResponseWriter.
func (w *memoryWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter; only the first call counts.
func (w *memoryWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent, w.length = status, w.header.Clone(), -1
		for name, values := range w.sent {
			if values == nil {
				delete(w.sent, name)
			}
		}
		if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
			w.length = n
		}
		if status == http.StatusNoContent {
			w.length = 0
		}
		w.untilClose = w.length < 0 && (w.old || identity(w.sent))
		w.sent.Del("Transfer-Encoding")
		if !w.old {
			w.sent.Del("Connection") // it is in http.Response.Close
		}
		close(w.began)
	})
}

// Write implements http.ResponseWriter. It blocks until the client has read.
func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher; what is written is on its way already.
func (w *memoryWriter) Flush() {}
