package bundle

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Redactor takes secrets out of texts: those that it was told of, in all spellings, and whatever looks like one. A
// text that is cut up for nothing does no harm here; a secret that stays does.
type Redactor struct {
	secrets logline.Secrets
	short   []string // too short for secrets, which leaves single words alone
}

// leastSecret is how long a text is that is taken out wherever it stands.
const leastSecret = 4

// words are values of settings that a name like a secret's may have, and that texts are full of.
var words = []string{
	"true", "false", "none", "null", "default", "plain", "basic", "bearer", "date", "auto", "json", "never", "always",
	"event_id", "timestamp", "message", "disabled", "enabled", "required", "optional", "oauth2", "apikey",
}

// Hide adds a secret.
func (r *Redactor) Hide(secret string) {
	secret = strings.TrimSpace(secret)
	if len(secret) < leastSecret || slices.Contains(words, strings.ToLower(secret)) || slices.Contains(r.short, secret) {
		return
	}
	r.secrets.Hide(secret)
	r.short = append(r.short, secret)
	slices.SortFunc(r.short, func(a, b string) int { return len(b) - len(a) }) // what contains another goes first
}

// HideBytes adds a secret that is no text.
func (r *Redactor) HideBytes(secret []byte) {
	r.Hide(string(secret))
	r.Hide(hex.EncodeToString(secret))
	r.Hide(base64.StdEncoding.EncodeToString(secret))
	r.Hide(base64.RawURLEncoding.EncodeToString(secret))
}

// secretName is what the name of a setting or a variable has in it when its value is a secret.
var secretName = regexp.MustCompile(
	`(?i)token|passw|pwd|secret|auth|credential|cookie|header|bearer|signature|private|jaas|sasl|conn(ection)?_?str` +
		`|(api|access|secret|shared|account|licen[cs]e|subscription|ssl|tls|master|signing|encryption|hmac|pseudonymize)` +
		`[._-]?key`)

// maybeName is what it has in it when the value may be one, if it looks so: other keys name fields.
var maybeName = regexp.MustCompile(`(?i)key|url|uri|host|user|sas`)

// random is what a value has that nobody made up: letters and digits, many of them.
func random(value string) bool {
	return len(value) >= 16 && strings.ContainsAny(value, "0123456789") && !strings.ContainsAny(value, " /.:")
}

// fileName is what the name ends in when the secret is in a file.
var fileName = regexp.MustCompile(`(?i)_file(_next)?$|\.file$|_path$`)

// HideNamed adds what a setting or a variable has, if its name or its form says that it is a secret.
func (r *Redactor) HideNamed(name, value string) {
	r.hideURL(value)
	if name == "PWD" || name == "OLDPWD" { // directories
		return
	}
	if !secretName.MatchString(name) {
		if maybeName.MatchString(name) && random(value) {
			r.Hide(value)
		}
		return
	}
	if fileName.MatchString(name) {
		r.hideFile(value)
		return
	}
	if path, ok := strings.CutPrefix(value, "file://"); ok {
		r.hideFile(path)
		return
	}
	r.Hide(value)
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(" \t=:,;\"'", c) }) {
		if len(word) >= 8 { // of a header or a connection's description; its short words are names
			r.Hide(word)
		}
	}
}

// hideURL adds the password of a URL, with and without the user.
func (r *Redactor) hideURL(value string) {
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return
	}
	password, _ := u.User.Password()
	r.Hide(password)
	r.Hide(u.User.String())
	r.Hide(u.User.Username() + ":" + password)
}

// longestSecret is more than any server takes as a header.
const longestSecret = 64 << 10

func (r *Redactor) hideFile(path string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	if text, err := io.ReadAll(io.LimitReader(file, longestSecret)); err == nil {
		r.Hide(string(text))
		if _, password, ok := strings.Cut(string(text), ":"); ok { // behind a user
			r.Hide(password)
		}
	}
}

// HideEnvironment adds what the environment's secrets are; variables are spelt as os.Environ spells them.
func (r *Redactor) HideEnvironment(variables []string) {
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		r.HideNamed(name, value)
	}
}

// looks are forms of secrets, with what takes their place.
var looks = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), "[redacted]"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), "[redacted]"},
	{regexp.MustCompile(`://[^/\s@"']+@`), "://[redacted]@"},
	{regexp.MustCompile(`(?i)\b(bearer|basic|splunk|apikey)\s+[A-Za-z0-9._~+/=-]{8,}`), "$1 [redacted]"},
	{
		regexp.MustCompile(`(?i)((?:api[-_]?key|authorization|cookie|token|passw(?:or)?d|secret)["']?\s*[:=]\s*["']?)` +
			`[^\s"',;}]+`),
		"${1}[redacted]",
	},
}

// Redact returns text without secrets.
func (r *Redactor) Redact(text string) string {
	text = r.secrets.Redact(text)
	for _, secret := range r.short {
		text = strings.ReplaceAll(text, secret, logline.Redacted)
	}
	for _, look := range looks {
		text = look.form.ReplaceAllString(text, look.with)
	}
	return text
}
