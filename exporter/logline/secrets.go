package logline

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

const (
	leastSecret = 8   // bytes; what is shorter is no secret, and every text is full of it
	leastPart   = 6   // bytes of a secret that was cut off before the line was made
	mostForms   = 512 // that are remembered: a file with a key may change for years
)

// Secrets takes secrets out of texts that others wrote: an endpoint, a proxy or a page of a gateway may
// repeat what it was sent, in any spelling. It may be used by several goroutines; its zero value knows no
// secret.
type Secrets struct {
	mu    sync.RWMutex
	forms []form // what was hidden last comes last
}

// Hide adds a secret, in all forms in which it is known to come back. Secrets of before are remembered: a server may
// repeat a key that has been replaced.
func (s *Secrets) Hide(secret string) {
	if len(secret) < leastSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range spellings(secret) {
		s.add(lower(text))
	}
	if len(s.forms) > mostForms {
		s.forms = slices.Delete(s.forms, 0, len(s.forms)-mostForms)
	}
}

// add moves a form that is known to the end: of many, those go that were not used for longest.
func (s *Secrets) add(text string) {
	at := slices.IndexFunc(s.forms, func(f form) bool { return f.text == text })
	if at < 0 {
		s.forms = append(s.forms, newForm(text))
		return
	}
	known := s.forms[at]
	s.forms = append(slices.Delete(s.forms, at, at+1), known)
}

var mustache = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "/", "&#x2F;", "=", "&#x3D;", "`", "&#x60;",
)

func spellings(secret string) []string {
	quoted, ascii := strconv.Quote(secret), strconv.QuoteToASCII(secret)
	inJSON, _ := json.Marshal(secret) // a string has no error
	return []string{
		secret,
		html.EscapeString(secret),
		url.QueryEscape(secret),
		url.PathEscape(secret),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		quoted[1 : len(quoted)-1],
		string(inJSON[1 : len(inJSON)-1]),
		strings.NewReplacer(`/`, `\/`).Replace(secret),     // JSON of PHP
		strings.NewReplacer(`+`, `\u002B`).Replace(secret), // of .NET
		strings.NewReplacer(`=`, `\u003d`).Replace(secret), // of Gson
		mustache.Replace(secret),                           // and templates like it
		url.QueryEscape(url.QueryEscape(secret)),           // inside an address that is a parameter itself
		url.PathEscape(url.QueryEscape(secret)),
		strings.ReplaceAll(url.QueryEscape(secret), "%2F", "/"), // Python's quote
		hex.EncodeToString([]byte(secret)),
		ascii[1 : len(ascii)-1], // JSON of Python
		base64Behind(1, secret),
		base64Behind(2, secret),
	}
}

// base64Behind is what is sure of the base64 of a secret that so many bytes stand before, as a user's name and a colon
// do. What they and what follows have a share in is left out.
func base64Behind(bytes int, secret string) string {
	text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", bytes) + secret))
	return text[bytes+1 : len(text)-1]
}

// Redact returns text without the secrets, whatever their case. Of a secret at which a text was cut, and so
// ends or has an ellipsis, the beginning goes too. It takes time in proportion to the text, whatever is in
// it.
func (s *Secrets) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []span
	plain := lower(text)
	for _, form := range s.forms {
		found = form.find(plain, found)
	}
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	end := 0
	for _, f := range found {
		if f.from >= end {
			out.WriteString(text[end:f.from])
			out.WriteString(Redacted)
		}
		end = max(end, f.to)
	}
	out.WriteString(text[end:])
	return out.String()
}

// lower is text in lower case as far as that is ASCII, so that places stay the same.
func lower(text string) string {
	lowered := []byte(text)
	for i, c := range lowered {
		if c >= 'A' && c <= 'Z' {
			lowered[i] = c + 'a' - 'A'
		}
	}
	return string(lowered)
}
