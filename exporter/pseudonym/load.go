package pseudonym

import (
	"bytes"

	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// LoadKey reads a key from a file, which may be text, as `openssl rand -hex 32` writes it: blanks around it are none of
// it. Errors name the setting.
func LoadKey(file string) (*Key, error) {
	var key *Key
	err := source.ReadKey("pseudonymize_key_file", file, func(secret []byte) (err error) {
		key, err = NewKey(bytes.TrimSpace(secret))
		return err
	})
	return key, err
}

// Load makes what the settings want; nil if that is nothing.
func Load(columns []string, keyFile string) (*Rows, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	key, err := LoadKey(keyFile)
	if err != nil {
		return nil, err
	}
	return NewRows(key, columns), nil
}
