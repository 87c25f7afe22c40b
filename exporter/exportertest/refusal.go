package exportertest

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
)

// refusal is an error answer.
type refusal struct {
	status        int
	code, message string
	field         string // the query's, that the error is about
}

var codeOf = map[int]string{
	400: "BAD_REQUEST_ERROR", 401: "UNAUTHORIZED_ERROR", 403: "INSUFFICIENT_PERMISSIONS_ERROR",
	404: "NOT_FOUND_ERROR", 405: "BAD_REQUEST_ERROR",
	409: "CONFLICT_ERROR", 413: "REQUEST_ENTITY_TOO_LARGE", 422: "INVALID_INPUT_ERROR", 429: "RATE_LIMIT_ERROR",
	504: "TIMEOUT_ERROR",
}

// errorBody is ErrorBody of the OpenAPI text.
type errorBody struct {
	Errors    []errorInfo `json:"errors"`
	RequestID string      `json:"requestId"`
}

// errorInfo is ErrorInfo of the OpenAPI text.
type errorInfo struct {
	Code             string  `json:"code"`
	Message          string  `json:"message"`
	Details          string  `json:"details"`
	Path             string  `json:"path"`
	Suggestion       string  `json:"suggestion"`
	DocumentationURL *string `json:"documentation_url"`
	Field            *string `json:"field"`
}

func (f refusal) body(requestID string) errorBody {
	info := errorInfo{
		Code: f.code, Message: f.message, Details: "simulated: " + f.message, Path: Path,
		Suggestion: "Contact us at support@wherobots.com to get help with resolving your error.",
	}
	if info.Code == "" {
		info.Code = codeOf[f.status]
	}
	if info.Code == "" {
		info.Code = "INTERNAL_SERVER_ERROR"
	}
	if f.field != "" {
		info.Path, info.Field = "query."+f.field, &f.field
	}
	return errorBody{Errors: []errorInfo{info}, RequestID: requestID}
}

// detail is what FastAPI itself answers: a text, or a list when it did not like the query.
func (f refusal) detail() any {
	if f.status != http.StatusUnprocessableEntity {
		return map[string]any{"detail": f.message}
	}
	return map[string]any{"detail": []any{map[string]any{
		"type": "datetime_parsing", "loc": []string{"query", f.field}, "msg": f.message,
	}}}
}

func (f refusal) write(w http.ResponseWriter, form ErrorForm, requestID string) {
	if form == HTMLPages {
		writePage(w, f.status, f.message)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	if form == FastAPI {
		_ = json.NewEncoder(w).Encode(f.detail())
		return
	}
	_ = json.NewEncoder(w).Encode(f.body(requestID))
}

func writePage(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(
		w,
		fmt.Sprintf(
			"<!DOCTYPE html>\n<html><head><title>%d</title></head><body><h1>%s</h1></body></html>\n", status,
			html.EscapeString(text),
		),
	)
}

func (t TooMany) refusal() refusal {
	switch t {
	case TooMany400:
		return refusal{status: http.StatusBadRequest, code: "REQUEST_ENTITY_TOO_LARGE", message: "too many rows"}
	case TooManyTimeout:
		return refusal{status: http.StatusGatewayTimeout, code: "TIMEOUT_ERROR", message: "the query took too long"}
	default:
		return refusal{status: http.StatusRequestEntityTooLarge, code: "REQUEST_ENTITY_TOO_LARGE", message: "too many rows"}
	}
}
