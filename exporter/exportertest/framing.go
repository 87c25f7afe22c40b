package exportertest

import "net/http"

// Framing is how an export says where it ends. Over HTTP/2 it always says so.
type Framing int

const (
	Framed     Framing = iota // chunks, or a length with ContentLength
	UntilClose                // neither: the end of the connection is the end of the answer, and nothing proves it whole
	HTTP10                    // the same in HTTP/1.0
)

// frame makes the answer end as it should.
func (x *exchange) frame() {
	if x.r.ProtoMajor > 1 {
		return
	}
	if x.answers.Framing != Framed {
		x.w.Header().Set("Connection", "close")
	}
	switch x.answers.Framing {
	case UntilClose:
		x.w.Header().Set("Transfer-Encoding", "identity") // net/http's server takes it as: no chunks
	case HTTP10:
		if w, ok := x.w.(*memoryWriter); ok {
			w.old = true
			return
		}
		x.takeOver("HTTP/1.0")
	default:
		if x.answers.Unsolicited != "" {
			x.takeOver("HTTP/1.1")
		}
	}
}

// saysLength reports whether a Content-Length goes ahead of the export.
func (x *exchange) saysLength() bool {
	switch _, raw := x.w.(*rawWriter); {
	case x.fault.EndAfter > 0:
		return false
	case x.answers.Framing != Framed && x.r.ProtoMajor == 1:
		return false
	default:
		return x.answers.ContentLength || raw
	}
}

// identity reports whether a handler asked net/http's server for an answer without chunks.
func identity(header http.Header) bool { return header.Get("Transfer-Encoding") == "identity" }
