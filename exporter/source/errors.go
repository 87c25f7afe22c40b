package source

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// APIError is an answer that is no export.
type APIError struct {
	Status     int
	code       string // of the vendor's ErrorClass; may be empty
	message    string
	details    string
	suggestion string
	requestID  string
	credential string // what was sent, for those who must replace it; may be empty
	Class      Class
	retryAfter time.Duration // at least to wait; zero = the server did not say
	date       time.Time     // the Date header
}

// maxErrorText is the longest text of an APIError in bytes.
const maxErrorText = 500

// Error is one line with everything that helps.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(operation + ": " + e.status())
	if e.message != "" {
		b.WriteString(": " + logline.Cut(e.message, 150))
	}
	if e.details != "" && e.details != e.message {
		b.WriteString(": " + logline.Cut(e.details, 80))
	}
	if e.suggestion != "" {
		b.WriteString("; suggestion: " + logline.Cut(e.suggestion, 100))
	}
	if e.requestID != "" {
		b.WriteString("; request id " + logline.Cut(e.requestID, 40))
	}
	if e.credential != "" {
		b.WriteString("; the credential is " + logline.Cut(e.credential, 220))
	}
	return logline.Cut(b.String(), maxErrorText)
}

// status is the answer's status and what it is called.
func (e *APIError) status() string {
	name := logline.Cut(e.code, 40)
	if name == "" {
		name = http.StatusText(e.Status)
	}
	return strings.TrimSpace(strconv.Itoa(e.Status) + " " + name)
}

// Redact cleans what others wrote.
func (e *APIError) Redact(redact func(string) string) {
	for _, field := range []*string{&e.code, &e.message, &e.details, &e.suggestion, &e.requestID} {
		*field = redact(logline.Clean(*field))
	}
}

// DateOf is the Date header of the answer that err is about; zero when there was none.
func DateOf(err error) time.Time {
	var refusal *APIError
	if errors.As(err, &refusal) {
		return refusal.date
	}
	return time.Time{}
}

// maxErrorBody is how much of an error's body is looked at.
const maxErrorBody = 64 << 10

// readError makes an error of an answer whose status is not 200.
func readError(answer *http.Response, redact func(string) string) *APIError {
	e := &APIError{
		Status: answer.StatusCode, retryAfter: retryAfter(answer.Header),
		date: dateIn(answer.Header),
	}
	body := readErrorBody(answer)
	codes, understood := e.Parse(body)
	if !understood {
		e.message = textExcerpt(redact(string(body)))
	}
	if e.requestID == "" {
		e.requestID = requestIDOf(answer.Header)
	}
	e.Class = ClassOfStatus(e.Status, codes)
	e.Redact(redact)
	if e.suggestion == "" || e.suggestion == unhelpful {
		e.suggestion = advice[e.Status]
	}
	return e
}

// readErrorBody returns what can be read of the body: the status alone is worth reporting.
func readErrorBody(answer *http.Response) []byte {
	var body io.Reader = answer.Body
	if strings.EqualFold(answer.Header.Get("Content-Encoding"), "gzip") {
		packed, err := gzip.NewReader(answer.Body)
		if err != nil {
			return nil
		}
		body = packed
	}
	data, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	return data
}

// unhelpful is the suggestion that the API gives when it has none (its OpenAPI text).
const unhelpful = "Contact us at support@wherobots.com to get help with resolving your error."

// errorBody has the members of the API's ErrorBody, of FastAPI's errors (detail) and of gateways' (message, error).
type errorBody struct {
	Errors []struct {
		Code       loose `json:"code"`
		Message    loose `json:"message"`
		Details    loose `json:"details"`
		Suggestion loose `json:"suggestion"`
	} `json:"errors"`
	RequestID loose           `json:"requestId"`
	Detail    json.RawMessage `json:"detail"`
	Message   loose           `json:"message"`
	Error     loose           `json:"error"`
}

// loose takes any JSON value for text, since an error must be told whatever shape it has.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil { // null leaves it empty
		*l = loose(text)
		return nil
	}
	*l = loose(data)
	return nil
}

// Parse fills in what a JSON body says and returns all its codes. It returns false if it does not know the body.
func (e *APIError) Parse(data []byte) (codes []string, understood bool) {
	var body errorBody
	if json.Unmarshal(data, &body) != nil {
		return nil, false
	}
	e.requestID = string(body.RequestID)
	if len(body.Errors) > 0 {
		first := body.Errors[0]
		e.code, e.message = string(first.Code), string(first.Message)
		e.details, e.suggestion = string(first.Details), string(first.Suggestion)
		for _, one := range body.Errors {
			codes = append(codes, string(one.Code))
		}
		if more := len(body.Errors) - 1; more > 0 {
			e.message += fmt.Sprintf(" (and %d more)", more)
		}
		return codes, true
	}
	for _, text := range []string{detailText(body.Detail), string(body.Message), string(body.Error)} {
		if text != "" {
			e.message = text
			return nil, true
		}
	}
	return nil, false
}

// detailText reads FastAPI's detail: a text, or a list of what is wrong where.
func detailText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var list []struct {
		Loc []loose `json:"loc"`
		Msg loose   `json:"msg"`
	}
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || list[0].Msg == "" {
		var text loose
		if json.Unmarshal(raw, &text) != nil {
			return ""
		}
		return string(text)
	}
	var texts []string
	for _, one := range list {
		where := make([]string, len(one.Loc))
		for i, part := range one.Loc {
			where[i] = string(part)
		}
		texts = append(texts, strings.TrimPrefix(strings.Join(where, ".")+": ", ": ")+string(one.Msg))
	}
	return strings.Join(texts, ", ")
}

// markup is what a page has besides its text.
var markup = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<!--.*?-->|<[^>]*>`)

// textExcerpt shows the beginning of a body that is no JSON, without the markup of a page.
func textExcerpt(body string) string {
	text := logline.Cut(body, 4<<10)
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		text = html.UnescapeString(markup.ReplaceAllString(text, " "))
	}
	return logline.Clean(text)
}

// maxRetryAfter bounds what a server can ask for: a wrong date must not silence the collection for years.
const maxRetryAfter = time.Hour

// retryAfter reads both forms of the header: seconds, or a date. A date counts from the answer's own Date,
// where there is one: the clocks may differ.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	at := parseDate(value)
	if at.IsZero() {
		return 0
	}
	now := dateIn(header)
	if now.IsZero() {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
