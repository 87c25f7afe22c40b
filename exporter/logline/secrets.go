package logline

import (
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

const (
	leastSecret = 8  // bytes; what is shorter is no secret, and every text is full of it
	leastPart   = 6  // bytes of a secret that was cut off before the line was made
	mostForms   = 64 // that are remembered: a file with a key may change for years
)

// Secrets takes secrets out of texts that others wrote: an endpoint, a proxy or a page of a gateway may repeat what it was
// sent, in any spelling. It may be used by several goroutines; its zero value knows no secret.
type Secrets struct {
	mu    sync.RWMutex
	forms []string // in lower case, the longest first
}

// Hide adds a secret, in all forms in which it is known to come back. Secrets of before are remembered: a server may
// repeat a key that has been replaced.
func (s *Secrets) Hide(secret string) {
	if len(secret) < leastSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range []string{
		secret, html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
	} {
		if form = lower(form); !slices.Contains(s.forms, form) {
			s.forms = append(s.forms, form)
		}
	}
	if len(s.forms) > mostForms {
		s.forms = slices.Delete(s.forms, 0, len(s.forms)-mostForms)
	}
}

// Redact returns text without the secrets, whatever their case. Of a secret at which a text was cut, and so ends or has
// an ellipsis, the beginning goes too.
func (s *Secrets) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, form := range s.forms {
		text = redactWhole(text, form)
	}
	for _, form := range s.forms {
		text = redactPart(text, form)
	}
	return text
}

func redactWhole(text, form string) string {
	for at := 0; ; {
		found := strings.Index(lower(text[at:]), form)
		if found < 0 {
			return text
		}
		at += found
		text = text[:at] + Redacted + text[at+len(form):]
		at += len(Redacted)
	}
}

func redactPart(text, form string) string {
	const ellipsis = "…"
	for end := len(text); end > 0; {
		whole := lower(text[:end])
		for n := min(len(form)-1, end); n >= leastPart; n-- {
			if strings.HasSuffix(whole, form[:n]) {
				text = text[:end-n] + Redacted + text[end:]
				end -= n
				break
			}
		}
		end = strings.LastIndex(text[:end], ellipsis)
	}
	return text
}

// lower is text in lower case as far as that is ASCII, so that places stay the same.
func lower(text string) string {
	return string(lowerBytes([]byte(text)))
}

func lowerBytes(text []byte) []byte {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
	return text
}
