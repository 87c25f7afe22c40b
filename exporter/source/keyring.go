package source

import (
	"errors"
	"net/http"
)

// keyring picks the credential of a request: the one that was accepted last, and the other one when that is refused.
// It is used by one goroutine at a time.
type keyring struct {
	keys     []Credential // the one that is set, then that of api_key_file_next if it is set
	current  int
	read     *[2]string // what was read last of each, "" = nothing; behind a pointer, since formatting shows fields
	switched string     // what the collection is to be told of a change, until it is taken
}

func newKeyring(cfg Credentials) keyring {
	ring := keyring{keys: []Credential{NewCredential(cfg)}, read: new([2]string)}
	if cfg.APIKeyFileNext != "" {
		ring.keys = append(ring.keys, nextCredential(cfg))
	}
	return ring
}

// header reads the nth credential.
func (k *keyring) header(n int) (name, value string, err error) {
	name, value, err = k.keys[n].Header()
	k.read[n] = value
	return name, value, err
}

// restore goes back to the credential that is set once it is another than the one that was refused.
func (k *keyring) restore() {
	if k.current == 0 {
		return
	}
	if _, value, err := k.keys[0].Header(); err == nil && value != k.read[0] {
		k.use(0, nil)
	}
}

// other is the credential to try when the current one is refused; ok is false if there is none that can be read and is
// not the same.
func (k *keyring) other() (n int, ok bool) {
	n = 1 - k.current
	if n >= len(k.keys) {
		return 0, false
	}
	_, value, err := k.header(n)
	return n, err == nil && value != k.read[k.current]
}

// use makes the nth credential the current one, because refusal came upon the other; nil if it was not refused.
func (k *keyring) use(n int, refusal error) {
	why := "which has changed"
	var answer *APIError
	if errors.As(refusal, &answer) {
		why = "since " + k.keys[k.current].where() + " is refused (" + answer.status() + ")"
	} else if refusal != nil {
		why = "since " + refusal.Error()
	}
	k.current = n
	k.switched = "the credential in use is now that of " + k.keys[n].where() + ", " + why
}

// Switched says, once, which credential is used instead of another; "" if none is.
func (c *Client) Switched() string {
	text := c.keys.switched
	c.keys.switched = ""
	return text
}

// Renewed reports whether a file has another credential in it than the one that was read last, so that asking again
// may help. It reads the files; it must not be called while a request is on its way.
func (c *Client) Renewed() bool {
	for n, key := range c.keys.keys {
		if key.file == "" {
			continue
		}
		if _, value, err := key.Header(); err == nil && value != c.keys.read[n] {
			return true
		}
	}
	return c.proxy.renewed()
}

// refusesCredential reports whether another credential may help.
func refusesCredential(err error) bool {
	var answer *APIError
	if errors.As(err, &answer) {
		return answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden
	}
	var unreadable *credentialError
	return errors.As(err, &unreadable) && !unreadable.ofProxy
}

// reached reports whether an answer came, so that the credential was not what was wrong.
func reached(err error) bool {
	var answer *APIError
	return err == nil || errors.As(err, &answer)
}
