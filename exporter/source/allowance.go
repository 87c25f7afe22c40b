package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// errRequestTimeout says that the endpoint needed longer than request_timeout for its answer.
var errRequestTimeout = errors.New("the answer took longer than request_timeout")

// allowance is the time that the endpoint has for one answer. It runs only while something is awaited from
// the endpoint, between start and stop: when Fluent Bit is paused in the middle of an answer, that is not the
// endpoint's fault, and shorter windows would not help.
type allowance struct {
	ctx    context.Context // ends when the time is used up
	cancel context.CancelCauseFunc
	timer  *time.Timer
	total  time.Duration
	left   time.Duration
	begun  time.Time
}

// newAllowance must be ended. It does not run yet.
func newAllowance(parent context.Context, total time.Duration) *allowance {
	ctx, cancel := context.WithCancelCause(parent)
	a := &allowance{ctx: ctx, cancel: cancel, total: total, left: total}
	a.timer = time.AfterFunc(total, func() { cancel(errRequestTimeout) })
	a.timer.Stop()
	return a
}

func (a *allowance) start() {
	a.begun = time.Now()
	a.timer.Reset(a.left)
}

func (a *allowance) stop() {
	a.timer.Stop()
	a.left = max(0, a.left-time.Since(a.begun))
}

// end stops the request, too.
func (a *allowance) end() {
	a.timer.Stop()
	a.cancel(context.Canceled)
}

// explain says, before end, why the request ended with err: the time was up, the caller gave up, the server
// refused, or the connection broke.
func (a *allowance) explain(err error, redact func(string) string) error {
	var refusal *APIError
	switch {
	case errors.As(err, &refusal):
		refusal.Redact(redact)
		return refusal
	case errors.Is(context.Cause(a.ctx), errRequestTimeout):
		return fmt.Errorf("%s: %w (%s)", operation, errRequestTimeout, logline.Duration(a.total))
	case a.ctx.Err() != nil:
		return fmt.Errorf("%s: %w", operation, a.ctx.Err())
	}
	return newTransportError(err, redact)
}

// timedBody is a response's body under an allowance.
type timedBody struct {
	body      io.ReadCloser
	allowance *allowance
	redact    func(string) string
}

func (b *timedBody) Read(p []byte) (int, error) {
	b.allowance.start()
	n, err := b.body.Read(p)
	b.allowance.stop()
	if err != nil && err != io.EOF {
		err = b.allowance.explain(err, b.redact)
	}
	return n, err
}

// What Close may spend on reading the rest, so that the connection can be used again.
const (
	restBytes = 4 << 10
	restTime  = 100 * time.Millisecond
)

// Close ends the request. A body that is all but read keeps its connection.
func (b *timedBody) Close() error {
	b.allowance.left = min(b.allowance.left, restTime)
	b.allowance.start()
	_, _ = io.CopyN(io.Discard, b.body, restBytes)
	b.allowance.end()
	return b.body.Close()
}
