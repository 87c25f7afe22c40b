// Package checkpoint keeps where a collection stands in one file, so that a restart goes on there.
//
// Its rules:
//
//   - The file holds the old state or the new one, whatever crashes and whenever: a state is written to a
//     temporary file beside it, synced, renamed over it, and the directory is synced. When Save returns
//     nil, the new state outlives a power loss.
//   - Never from scratch by accident: only a file that does not exist means "nothing yet". One that is
//     damaged, empty, newer, of another source, in use or not writable is refused when it is opened, with
//     its name and the way out, and is left as it was for a person to look at.
//   - One user at a time: a lock on a file beside it ("<path>.lock") keeps a second process, and a second
//     instance in this process, away. Locks die with their process, so that a crashed holder is in
//     nobody's way; the lock file itself stays, because deleting it would let two in.
//   - An operator can read it: indented JSON, times and columns first, long binary fields last. It is not
//     for editing: a checksum tells.
//   - It holds no credentials. Key is secret only in that it makes the hashes of identities
//     unpredictable; the file's mode is 0600 all the same.
package checkpoint

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Source is what was collected from. A checkpoint of one source says nothing about another.
type Source struct {
	Endpoint   string // base URL
	SearchTerm string
}

// State is where a collection stands.
type State struct {
	Through    time.Time // everything up to here is safe; zero = nothing yet
	From       time.Time // where this checkpoint's collection began
	Key        []byte    // secret key of the identities' hashes, KeySize bytes
	Seen       []byte    // identities inside the overlap, opaque
	Strays     []byte    // identities of what no digest has, opaque; nil = none, as in files of earlier versions
	Minutes    []byte    // digests of the reconciliation window, opaque
	Hours      []byte    // digests of every hour, opaque; nil = none, as in files of earlier versions
	Columns    []string  // columns of the last response, UTF-8; nil and empty are the same
	Volatile   []string  // columns that change while the events stay the same, UTF-8; nil and empty are the same
	SharedIDs  []string  // hashes of texts in event_id that are none, UTF-8; nil and empty are the same
	Reconciled time.Time // when the last reconciliation ended; zero = never

	// Unsure is since when a clock has been believed that may be wrong, so that Through may lie in the future; zero
	// = it is not. An optional field of the file: earlier versions neither write nor miss it.
	Unsure time.Time

	// Behind is how far the server's clock was behind the local one, at least 0: what a later start goes by until it is
	// told the time. Optional too.
	Behind time.Duration

	// Start is the start_time that From came of, as it was configured; "" = not known. Optional too.
	Start string

	// Deep is up to where the deep reconciliation under way has got, and DeepBegan when it began; zero = there is none.
	// Optional too.
	Deep, DeepBegan time.Time

	RowLimit int // rows that the endpoint answers at most without saying so; 0 = none is known. Optional too

	// Overlap is how far before Through the identities in Seen are complete; zero = not known. Optional too.
	Overlap time.Duration

	// Floor is before what is not read again by polls, since Seen does not know what was handed over there; zero = it
	// knows all that they read. Optional too: an earlier version reads it again, and hands it over once more.
	Floor time.Time

	Moves []Move // what persons did to it, the oldest first. Optional too
}

// KeySize is the length of State.Key in bytes.
const KeySize = 16

// NewKey makes the secret key of a new checkpoint.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails since Go 1.24: it would end the program
	return key
}

// validate says what no collection can have left behind. Times in the future are none of it: a server's clock
// may have been wrong.
func (s State) validate() error {
	if len(s.Key) != KeySize {
		return fmt.Errorf("its key has %d bytes instead of %d", len(s.Key), KeySize)
	}
	for _, field := range []struct {
		name string
		at   time.Time
	}{
		{"through", s.Through},
		{"from", s.From},
		{"reconciled", s.Reconciled},
		{"unsure", s.Unsure},
		{"deep", s.Deep},
		{"deep_began", s.DeepBegan},
		{"floor", s.Floor},
	} {
		if year := field.at.UTC().Year(); !field.at.IsZero() && (year < 1970 || year > 9999) {
			return fmt.Errorf("its time %q is in the year %d", field.name, year)
		}
	}
	if s.RowLimit < 0 {
		return fmt.Errorf("its row_limit is %d", s.RowLimit)
	}
	if s.Behind < 0 {
		return fmt.Errorf("its behind is %s", s.Behind)
	}
	if s.Overlap < 0 {
		return fmt.Errorf("its overlap is %s", s.Overlap)
	}
	if len(s.Moves) > MaxMoves {
		return fmt.Errorf("it has %d moves", len(s.Moves))
	}
	for _, move := range s.Moves {
		if err := move.validate(); err != nil {
			return err
		}
	}
	if !s.Through.IsZero() && s.From.IsZero() {
		return fmt.Errorf("it says where it stands (%q), but not where it began (%q)", "through", "from")
	}
	return nil
}

// normal returns the source as it is compared and stored: the same endpoint is written the same way, and
// without what could be a credential.
func (s Source) normal() Source {
	return Source{Endpoint: normalEndpoint(s.Endpoint), SearchTerm: strings.ToValidUTF8(s.SearchTerm, "\uFFFD")}
}

func (s Source) String() string {
	if s.SearchTerm == "" {
		return fmt.Sprintf("endpoint %s without search_term", s.Endpoint)
	}
	return fmt.Sprintf("endpoint %s with search_term %q", s.Endpoint, s.SearchTerm)
}

// normalEndpoint drops what does not tell two endpoints apart: case of scheme and host, a default port,
// slashes at the end.
func normalEndpoint(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return strings.TrimRight(strings.ToValidUTF8(endpoint, "\uFFFD"), "/")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if host, port, err := net.SplitHostPort(u.Host); err == nil && defaultPorts[u.Scheme] == port {
		u.Host = host
		if strings.Contains(host, ":") {
			u.Host = "[" + host + "]"
		}
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	return clean.String()
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}
