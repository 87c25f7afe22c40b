package source

import (
	"errors"
	"net/http"
)

// Class says what to do about a failed request. It is decided here, where the answer is known; the collector
// asks ClassOf only.
type Class int

const (
	ClassRetry   Class = iota // try again, a little later each time
	ClassShrink               // the window was too large: try a shorter one
	ClassRefused              // a person must act: try again seldom, with the credential read anew
)

// ClassOf tells an error's class. What it does not know is worth another try.
func ClassOf(err error) Class {
	var refusal *APIError
	var credential *credentialError
	var proxy *proxyError
	switch {
	case errors.As(err, &proxy):
		return proxy.class()
	case errors.As(err, &refusal):
		return refusal.Class
	case errors.As(err, &credential):
		return ClassRefused
	case errors.Is(err, errRequestTimeout):
		return ClassShrink
	}
	return ClassRetry
}

// RefusesInput reports whether the endpoint says that what it was asked for is wrong, such as a time that it does not
// answer for.
func RefusesInput(err error) bool {
	var refusal *APIError
	return errors.As(err, &refusal) &&
		(refusal.Status == http.StatusBadRequest || refusal.Status == http.StatusUnprocessableEntity)
}

// advice is what to do when the answer does not say it.
var advice = map[int]string{
	http.StatusUnauthorized: "check whether the key or token is right, has expired or was revoked",
	http.StatusForbidden:    "use a key of an Admin of a Professional or Enterprise organization",
	http.StatusNotFound:     "check the setting endpoint",

	http.StatusProxyAuthRequired: "it is a proxy that asks" + proxyAdvice,
}

// statusTimeoutOccurred is Cloudflare's: the server behind it took too long.
const statusTimeoutOccurred = 524

// ClassOfStatus decides by what the codes say, else by the status.
func ClassOfStatus(status int, codes []string) Class {
	for _, code := range codes {
		switch code {
		case "REQUEST_ENTITY_TOO_LARGE", "TIMEOUT_ERROR":
			return ClassShrink
		case "RATE_LIMIT_ERROR":
			return ClassRetry
		case "INSUFFICIENT_QUOTA_ERROR":
			return ClassRefused
		}
	}
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusGatewayTimeout, statusTimeoutOccurred:
		return ClassShrink
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return ClassRetry
	}
	if status >= 300 && status < 500 { // a redirect that could not be followed, too
		return ClassRefused
	}
	return ClassRetry
}
