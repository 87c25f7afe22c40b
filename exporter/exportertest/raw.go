package exportertest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// rawWriter writes an answer to the connection by hand: what net/http's server would not write.
type rawWriter struct {
	header     http.Header
	connection net.Conn
	buffer     *bufio.ReadWriter
	protocol   string
	began      bool
}

// takeOver takes the connection from net/http's server, where there is one to take.
func (x *exchange) takeOver(protocol string) {
	hijacker, ok := x.w.(http.Hijacker)
	if !ok {
		return
	}
	connection, buffer, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.raw = &rawWriter{header: x.w.Header(), connection: connection, buffer: buffer, protocol: protocol}
	x.w = x.raw
}

// Header implements http.ResponseWriter.
func (w *rawWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter; only the first call counts.
func (w *rawWriter) WriteHeader(status int) {
	if w.began {
		return
	}
	w.began = true
	fmt.Fprintf(w.buffer, "%s %d %s\r\n", w.protocol, status, http.StatusText(status))
	_ = w.header.Write(w.buffer) // the buffer keeps the error for whoever writes next
	_, _ = io.WriteString(w.buffer, "\r\n")
}

// Write implements http.ResponseWriter.
func (w *rawWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.buffer.Write(p)
}

// Flush implements http.Flusher.
func (w *rawWriter) Flush() { _ = w.buffer.Flush() }

// Hijack implements http.Hijacker, for a reset.
func (w *rawWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.connection, w.buffer, nil }

// unsolicitedPatience is how long a client has to notice what it did not ask for.
const unsolicitedPatience = time.Second

// hangUp ends a connection that was taken over. What nobody asked for goes before that, behind a
// whole answer only.
func (x *exchange) hangUp() {
	if x.raw == nil {
		return
	}
	connection := x.raw.connection
	defer func() { _ = connection.Close() }()
	x.raw.Flush()
	if x.record.Complete && x.answers.Framing == Framed {
		_, _ = io.WriteString(connection, x.answers.Unsolicited)
		_ = connection.SetReadDeadline(time.Now().Add(unsolicitedPatience))
		_, _ = io.Copy(io.Discard, connection)
	}
}
