package source

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

func answerWith(status int, body string, headers ...string) *http.Response {
	header := make(http.Header)
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func same(text string) string { return text }

func TestErrorTexts(t *testing.T) {
	const get = "GET /audit-log/export: "
	for _, test := range []struct {
		status int
		body   string
		want   string
		class  Class
	}{
		{
			403, `{"errors":[{"code":"INSUFFICIENT_PERMISSIONS_ERROR","message":"Admins only.","details":"role is ` +
				`Member","path":"/","suggestion":"Ask an Admin."}],"requestId":"req-1"}`,
			get + "403 INSUFFICIENT_PERMISSIONS_ERROR: Admins only.: role is Member; suggestion: Ask an Admin.; request id " +
				"req-1", ClassRefused,
		},
		{
			401, `{"errors":[{"code":"UNAUTHORIZED_ERROR","message":"expired","details":"expired","path":"/",` +
				`"suggestion":"Contact us at support@wherobots.com to get help with resolving your error."}],"requestId":"req-2"}`,
			get + "401 UNAUTHORIZED_ERROR: expired; suggestion: check whether the key or token is right, has expired or " +
				"was revoked; request id req-2", ClassRefused,
		},
		{
			500, `{"errors":[{"code":"INTERNAL_SERVER_ERROR","message":"oops","details":null,"path":"/"},` +
				`{"code":"X"},{"code":"Y"}],"requestId":"req-3"}`,
			get + "500 INTERNAL_SERVER_ERROR: oops (and 2 more); request id req-3", ClassRetry,
		},
		{
			422, `{"errors":[{"code":"INVALID_INPUT_ERROR","message":{"a": 1},"details":["b"],"path":"/"}],"requestId":7}`,
			get + `422 INVALID_INPUT_ERROR: {"a": 1}: ["b"]; request id 7`, ClassRefused,
		},
		{
			422, `{"detail":[{"loc":["query","startTime"],"msg":"invalid ` +
				`datetime","type":"x"},{"loc":["query",0],"msg":"bad"}]}`,
			get + "422 Unprocessable Entity: query.startTime: invalid datetime, query.0: bad", ClassRefused,
		},
		{
			404, `{"detail":"Not Found"}`,
			get + "404 Not Found: Not Found; suggestion: check the setting endpoint", ClassRefused,
		},
		{400, `{"detail":{"why":"so"}}`, get + `400 Bad Request: {"why":"so"}`, ClassRefused},
		{403, `{"message":"Forbidden"}`, get + "403 Forbidden: Forbidden; suggestion: use a key of an Admin of a " +
			"Professional or Enterprise organization", ClassRefused},
		{500, `{"error":"boom"}`, get + "500 Internal Server Error: boom", ClassRetry},
		{
			502, "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title><style>b{}</style></head>\n<body><!-- x " +
				"--><h1>nginx &amp; co</h1></body></html>",
			get + "502 Bad Gateway: 502 Bad Gateway nginx & co", ClassRetry,
		},
		{
			503, "upstream\r\n\x1b[31mdown\x00\u202e \xff",
			get + "503 Service Unavailable: upstream [31mdown \ufffd", ClassRetry,
		},
		{503, "", get + "503 Service Unavailable", ClassRetry},
		{500, `{"errors":`, get + `500 Internal Server Error: {"errors":`, ClassRetry},
		{500, `{"errors":"none"}`, get + `500 Internal Server Error: {"errors":"none"}`, ClassRetry},
		{500, `{}`, get + `500 Internal Server Error: {}`, ClassRetry},
		{500, `null`, get + `500 Internal Server Error: null`, ClassRetry},
		{206, "event_id\n", get + "206 Partial Content: event_id", ClassRetry},
		{599, "", get + "599", ClassRetry},
	} {
		err := readError(answerWith(test.status, test.body), same)
		assert.Equal(t, test.want, err.Error())
		assert.Equal(t, test.class, ClassOf(fmt.Errorf("read window: %w", err)), test.want)
	}
	err := readError(answerWith(500, "", "X-Request-Id", "req-4"), same)
	assert.EqualError(t, err, get+"500 Internal Server Error; request id req-4")
	err = readError(answerWith(500, "", "x-amzn-RequestId", "req-5"), same)
	assert.EqualError(t, err, get+"500 Internal Server Error; request id req-5")
}

func TestPackedErrorBody(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"detail":"packed"}`)
	require.NoError(t, z.Close())
	assert.EqualError(
		t, readError(answerWith(500, packed.String(), "Content-Encoding", "gzip"), same),
		"GET /audit-log/export: 500 Internal Server Error: packed",
	)
	assert.EqualError(
		t, readError(answerWith(500, "no gzip", "Content-Encoding", "gzip"), same),
		"GET /audit-log/export: 500 Internal Server Error",
	)
}

func TestClassesByStatus(t *testing.T) {
	want := map[int]Class{
		300: ClassRefused, 302: ClassRefused, 304: ClassRefused, 400: ClassRefused, 401: ClassRefused,
		402: ClassRefused, 403: ClassRefused,
		404: ClassRefused, 405: ClassRefused, 407: ClassRefused, 408: ClassRetry, 409: ClassRetry, 410: ClassRefused,
		413: ClassShrink, 414: ClassRefused,
		422: ClassRefused, 425: ClassRetry, 429: ClassRetry, 451: ClassRefused, 500: ClassRetry, 501: ClassRetry,
		502: ClassRetry, 503: ClassRetry, 504: ClassShrink, 524: ClassShrink,
		599: ClassRetry, 204: ClassRetry, 206: ClassRetry,
	}
	for status, class := range want {
		assert.Equal(t, class, ClassOf(readError(answerWith(status, ""), same)), status)
	}
}

func TestClassesByCode(t *testing.T) {
	byCode := map[string]Class{
		"REQUEST_ENTITY_TOO_LARGE": ClassShrink, "TIMEOUT_ERROR": ClassShrink, "RATE_LIMIT_ERROR": ClassRetry,
		"INSUFFICIENT_QUOTA_ERROR": ClassRefused,
	}
	codes := []string{
		"BAD_REQUEST_ERROR", "CONFLICT_ERROR", "INVALID_INPUT_ERROR", "INTERNAL_SERVER_ERROR", "UNAUTHORIZED_ERROR",
		"INSUFFICIENT_PERMISSIONS_ERROR",
		"THIRD_PARTY_PERMISSIONS_ERROR", "NOT_FOUND_ERROR", "INSUFFICIENT_QUOTA_ERROR", "REQUEST_ENTITY_TOO_LARGE",
		"UNITY_CATALOG_CONNECTION_FAILED",
		"RATE_LIMIT_ERROR", "TIMEOUT_ERROR", "ACCOUNT_NOT_PROVISIONED",
	}
	for _, code := range codes {
		for status, byStatus := range map[int]Class{
			400: ClassRefused, 403: ClassRefused, 429: ClassRetry, 500: ClassRetry, 504: ClassShrink,
		} {
			want, special := byCode[code]
			if !special {
				want = byStatus
			}
			body := fmt.Sprintf(`{"errors":[{"code":"%s","message":"m","details":"d","path":"p"}],"requestId":"r"}`, code)
			assert.Equal(t, want, ClassOf(readError(answerWith(status, body), same)), "%d %s", status, code)
		}
	}
	second := `{"errors":[{"code":"BAD_REQUEST_ERROR"},{"code":"TIMEOUT_ERROR"}]}`
	assert.Equal(t, ClassShrink, ClassOf(readError(answerWith(400, second), same)), "a code counts wherever it stands")
}

func TestClassOfOtherErrors(t *testing.T) {
	assert.Equal(t, ClassRetry, ClassOf(io.ErrUnexpectedEOF))
	assert.Equal(t, ClassShrink, ClassOf(fmt.Errorf("read: %w", errRequestTimeout)))
	assert.Equal(t, ClassRefused, ClassOf(fmt.Errorf("read: %w", &credentialError{})))
}

// Whatever a server answers, the message is one short line and does not repeat the credential.
func TestErrorsAreBoundedAndWithoutSecrets(t *testing.T) {
	const key = "hush-hush-hush"
	redact := redactorOf(key)
	word := rapid.OneOf(
		rapid.String(), rapid.Just(key), rapid.Just("<p>"), rapid.Just(strings.Repeat("ü", 200)),
		rapid.StringN(0, 400, 9000),
	)
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string) string { return strings.Join(rapid.SliceOfN(word, 0, 6).Draw(t, name), "") }
		body := part("body")
		if rapid.Bool().Draw(t, "json") {
			body = fmt.Sprintf(`{"errors":[{"code":%q,"message":%q,"details":%q,"suggestion":%q}],"requestId":%q}`,
				part("code"), part("message"), part("details"), part("suggestion"), part("id"))
		}
		status := rapid.SampledFrom([]int{400, 403, 500, 302}).Draw(t, "status")
		text := readError(answerWith(status, body, "X-Request-Id", key), redact).Error()
		require.LessOrEqual(t, len(text), maxErrorText)
		require.NotContains(t, text, key)
		require.True(t, utf8.ValidString(text))
		require.Equal(t, logline.Clean(text), text)
	})
}

func TestSecretAtTheEdgeOfAnExcerpt(t *testing.T) {
	const key = "hush-hush-hush"
	redact := redactorOf(key)
	for pad := range 300 {
		text := readError(answerWith(500, strings.Repeat("x", pad)+key+" and on"), redact).Error()
		require.NotContains(t, text, "hush", pad)
	}
	text := readError(answerWith(500, "<b>hush</b>-hush <i>hush&#45;hush-hush</i>"), redact).Error()
	assert.Equal(t, "GET /audit-log/export: 500 Internal Server Error: hush -hush [redacted]", text)
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 10 Mar 2026 12:00:00 GMT"
	for _, test := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"30", 30 * time.Second},
		{" 30 ", 30 * time.Second},
		{"-5", 0},
		{"soon", 0},
		{"1.5", 0},
		{"3601", time.Hour},
		{"99999999999", time.Hour},
		{"99999999999999999999", 0},
		{"Tue, 10 Mar 2026 12:00:45 GMT", 45 * time.Second},
		{"Tue, 10 Mar 2026 11:00:00 GMT", 0},
		{"Tue, 10 Mar 2099 12:00:00 GMT", time.Hour},
		{"Tuesday, 10-Mar-26 12:01:00 GMT", time.Minute},
		{"Tue Mar 10 12:01:00 2026", time.Minute},
	} {
		err := readError(answerWith(429, "", "Retry-After", test.value, "Date", date), same)
		assert.Equal(t, test.want, err.retryAfter, test.value)
	}
	at := time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
	wait := readError(answerWith(503, "", "Retry-After", at), same).retryAfter
	assert.InDelta(t, 10*60, wait.Seconds(), 5, "without a Date the clock counts")
}

func TestCut(t *testing.T) {
	assert.Equal(t, "abc", logline.Cut("abc", 3))
	assert.Equal(t, "a…", logline.Cut("abcde", 4))
	assert.Equal(t, "…", logline.Cut("üüü", 4))
	assert.Equal(t, "ü…", logline.Cut("üüü", 5))
	assert.Equal(t, "…", logline.Cut(strings.Repeat("\x80", 9), 4))
}

func redactorOf(key string) func(string) string {
	secrets := new(logline.Secrets)
	secrets.Hide(key)
	return secrets.Redact
}
