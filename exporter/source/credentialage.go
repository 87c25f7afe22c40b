package source

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// CredentialFacts is what is known of the credential that was sent last.
type CredentialFacts struct {
	Since   time.Time // when its file was written, else when it was used first; zero = none was sent yet
	Expires time.Time // a JWT's exp; zero = not known
}

// credentialFacts keeps them. They are read by other goroutines than the one that sends.
type credentialFacts struct {
	mu    sync.Mutex
	sum   [sha256.Size]byte // of the credential, which is not kept
	known CredentialFacts
}

// note is told of each credential that is about to be sent, and of its file, if any.
func (f *credentialFacts) note(value, file string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if sum := sha256.Sum256([]byte(value)); sum != f.sum {
		f.sum, f.known = sum, CredentialFacts{Since: time.Now(), Expires: expiryOf(value)}
	}
	if file == "" {
		return
	}
	if info, err := os.Stat(file); err == nil {
		f.known.Since = info.ModTime()
	}
}

func (f *credentialFacts) get() CredentialFacts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

// expiryOf returns when a JWT (RFC 7519) expires: its exp, seconds since 1970. Its signature is not checked: it is for
// the endpoint to believe it. Zero is for what has none, and for what is no JWT.
func expiryOf(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	const latest = 253402300799 // the end of the year 9999
	if json.Unmarshal(text, &claims) != nil || claims.Expires <= 0 || claims.Expires > latest {
		return time.Time{}
	}
	return time.Unix(int64(claims.Expires), 0).UTC()
}

// Origin names the setting or variable that the credential comes from, and its file.
func (c *Client) Origin() string { return c.keys.keys[0].where() }

// Proxy names the proxy that requests go through, without its credential; "" = none.
func (c *Client) Proxy() string {
	if _, own := c.http.Transport.(*http.Transport); !own {
		return ""
	}
	proxy, err := c.proxy.proxy.Of(&c.export)
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Scheme + "://" + proxy.Host
}
