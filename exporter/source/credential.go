package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Secret is a string that no formatting, logging or encoding shows.
type Secret string

// String implements fmt.Stringer. That nothing is set may be seen.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return logline.Redacted
}

// Format implements fmt.Formatter for every verb: with String and GoString alone, %x or %d would show the value.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler, and so JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Credential tells the header that identifies the caller. It holds the secret in a function, since formatting
// a struct shows unexported fields whatever their type's methods are.
type Credential struct {
	setting string // the key it comes from
	name    string // of the header
	prefix  string // of its value
	file    string // "" = the value is in the configuration
	inline  func() string
}

// Credentials are the four settings of which exactly one is set, and the key to try when that is refused. Files are
// read again for every request, so that a key can be changed without a restart.
type Credentials struct {
	APIKey          Secret
	APIKeyFile      string
	APIKeyFileNext  string // "" = there is none
	BearerToken     Secret
	BearerTokenFile string
	Variable        string // of the environment, if the one that is set is from there
}

const (
	apiKeyHeader = "X-API-Key"
	bearerHeader = "Authorization"
	bearerPrefix = "Bearer "
)

// NewCredential takes the one that is set; without any it is an empty API key, which Header refuses.
func NewCredential(cfg Credentials) Credential {
	c := Credential{setting: "api_key", name: apiKeyHeader}
	switch {
	case cfg.APIKeyFile != "":
		c.setting, c.file = "api_key_file", cfg.APIKeyFile
	case cfg.BearerTokenFile != "":
		c = Credential{setting: "bearer_token_file", name: bearerHeader, prefix: bearerPrefix, file: cfg.BearerTokenFile}
	case cfg.BearerToken != "":
		c = Credential{setting: "bearer_token", name: bearerHeader, prefix: bearerPrefix}
		c.inline = func() string { return string(cfg.BearerToken) }
	default:
		c.inline = func() string { return string(cfg.APIKey) }
	}
	if cfg.Variable != "" {
		c.setting = cfg.Variable
	}
	return c
}

// nextCredential is that of api_key_file_next.
func nextCredential(cfg Credentials) Credential {
	return Credential{setting: "api_key_file_next", name: apiKeyHeader, file: cfg.APIKeyFileNext}
}

// Check returns what is wrong with the credentials that only a person can put right, nil if there is nothing. A file
// that is not there yet, or still empty, may be on its way: whoever writes it need not be faster than this.
func (cfg Credentials) Check() error {
	var wrong []error
	for _, key := range newKeyring(cfg).keys {
		if _, _, err := key.Header(); err != nil && !key.heals(err) {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// heals reports whether err may be over without a person.
func (c Credential) heals(err error) bool {
	return c.file != "" && looksLikePath(c.file) && (errors.Is(err, os.ErrNotExist) || errors.Is(err, errEmpty))
}

// where names the setting that the credential comes from, and its file.
func (c Credential) where() string {
	if c.file == "" {
		return c.setting
	}
	if !looksLikePath(c.file) { // rather the credential itself, in the wrong setting
		return c.setting + " (its value, which is not shown, is not a path)"
	}
	return c.setting + " " + logline.Quoted(c.file)
}

// looksLikePath reports whether there is such a file or a directory for it. Tokens have dots in them
// and keys have slashes, so what a value is made of does not tell.
func looksLikePath(value string) bool {
	if _, err := os.Lstat(value); err == nil {
		return true
	}
	dir := filepath.Dir(value)
	if filepath.IsAbs(value) {
		return dir != "/"
	}
	_, err := os.Stat(dir)
	return err == nil && dir != "."
}

// origin says where the credential comes from and when a new one counts.
func (c Credential) origin() string {
	if c.file == "" {
		return "that of " + c.where() + ", which is read at the start only: set another, then start again"
	}
	return "that in " + c.where() + ", which is read again for every request"
}

// credentialError says why there is no credential to send. A person must act.
type credentialError struct {
	where   string
	err     error
	ofProxy bool // it is for the proxy, not for the endpoint
}

func (e *credentialError) Error() string { return fmt.Sprintf("%s: %v", e.where, e.err) }

func (e *credentialError) Unwrap() error { return e.err }

// Header returns the header to send. A file is read anew, so that a key can be replaced while the plugin runs.
func (c Credential) Header() (name, value string, err error) {
	if c.file == "" {
		value = c.inline()
	} else if value, err = readSecret(c.file); err != nil {
		return "", "", &credentialError{where: c.where(), err: err}
	}
	value = strings.TrimSpace(value)
	if err := CheckSecret(value); err != nil {
		return "", "", &credentialError{where: c.where(), err: err}
	}
	return c.name, c.prefix + value, nil
}

// ReadKey gives take what is in a file that a setting names, to be used and not kept. Errors, take's included, name the
// setting and the file, and nothing that is in it.
func ReadKey(setting, file string, take func(secret []byte) error) error {
	data, err := readRegular(file, maxSecret, "key")
	if err == nil {
		err = take(data)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", Credential{setting: setting, file: file}.where(), err)
	}
	return nil
}

// maxSecret is more than any key or token is long, and what servers accept as a header.
const maxSecret = 16 << 10

func readSecret(file string) (string, error) {
	data, err := readRegular(file, maxSecret, "credential")
	return strings.TrimPrefix(string(data), "\ufeff"), err
}

var errEmpty = errors.New("is empty")

// CheckSecret refuses what cannot be a header's value, and says nothing of it but the kind of mistake.
func CheckSecret(value string) error {
	if value == "" {
		return errEmpty
	}
	if len(value) > maxSecret {
		return fmt.Errorf("is larger than %d bytes, which no credential is", maxSecret)
	}
	for i := range len(value) {
		switch b := value[i]; {
		case b == '\n' || b == '\r':
			return errors.New("has more than one line; allowed: the credential alone")
		case b == ' ' || b == '\t':
			return errors.New(`has a space in it; allowed: the credential alone, without a word such as "Bearer"`)
		case b < 0x21 || b > 0x7e:
			return errors.New("has a character in it that no credential has; allowed: printable ASCII")
		}
	}
	return nil
}
