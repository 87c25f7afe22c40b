package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// CountPath is the sister operation of the export. With size=0 it says how many events there are and shows none
// (the vendor's OpenAPI document; its reference pages leave it out).
const CountPath = "/audit-log"

const (
	countTimeout = 5 * time.Second // for a whole answer; less if request_timeout is less
	maxCount     = 64 << 10        // bytes of an answer: without items it has a few hundred
)

// CountError says why there is no count.
type CountError struct {
	reason     string
	RetryAfter time.Duration // at least to wait after 429, where the endpoint says so; else zero
}

func (e *CountError) Error() string { return "GET " + CountPath + ": " + e.reason }

var errCountTimeout = errors.New("no answer in time")

// Count asks how many events there are from start to end, both included, and returns the answer's body. It
// follows no redirect. Its errors are CountErrors; none of them says anything about the export.
func (c *Client) Count(ctx context.Context, start, end time.Time) ([]byte, error) {
	body, err := c.count(ctx, start, end)
	var known *CountError
	if err == nil || errors.As(err, &known) {
		return body, err
	}
	return nil, &CountError{reason: logline.Cut(c.Redact(logline.Clean(err.Error())), 300)}
}

func (c *Client) count(ctx context.Context, start, end time.Time) ([]byte, error) {
	if err := c.turns.take(ctx); err != nil {
		return nil, err
	}
	name, value, err := c.identify(c.keys.current)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, min(countTimeout, c.timeout), errCountTimeout)
	defer cancel()
	query := c.query(start, end)
	query.Set("size", "0")
	target := c.counts
	target.RawQuery = query.Encode()
	request, err := c.get(ctx, target, "application/json")
	if err != nil {
		return nil, err
	}
	request.Header.Set(name, value)
	return c.readCount(request)
}

// readCount reads the answer, which is worth nothing unless it is small and whole.
func (c *Client) readCount(request *http.Request) ([]byte, error) {
	stays := http.Client{
		Transport:     c.http.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := stays.Do(request)
	if err != nil {
		return nil, countFailed(request.Context(), err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNonAuthoritativeInfo {
		text := fmt.Sprint(answer.StatusCode, " ", http.StatusText(answer.StatusCode))
		failed := &CountError{reason: strings.TrimSpace(text)}
		if answer.StatusCode == http.StatusTooManyRequests {
			failed.RetryAfter = retryAfter(answer.Header)
		}
		return nil, failed
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxCount+1))
	switch {
	case err != nil:
		return nil, countFailed(request.Context(), err)
	case len(body) > maxCount:
		return nil, &CountError{reason: fmt.Sprintf("the answer is longer than %d bytes", maxCount)}
	}
	return body, nil
}

// countFailed says that the time was up, where that is why a request broke, and leaves out the URL.
func countFailed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errCountTimeout) {
		return cause
	}
	return withoutURL(err)
}
