package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAClientShowsNoSecret(t *testing.T) {
	c := newTestClient(t, nil)
	hex := fmt.Sprintf("%x", "hush-hush")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		for _, value := range []any{c, *c, c.keys, c.keys.keys[0]} {
			text := fmt.Sprintf(verb, value)
			assert.NotContains(t, text, "hush-hush", verb)
			assert.NotContains(t, strings.ToLower(text), hex, verb)
		}
	}
}

func TestACredentialInPlaceOfItsFileIsNotShown(t *testing.T) {
	for _, secret := range []string{"Wb-0123456789abcdef", "eyJ0123.eyJ0123.c2ln", "0123/abc+def==", "/0123abc+def=="} {
		_, _, err := NewCredential(Credentials{APIKeyFile: secret}).Header()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "0123")
		assert.Contains(t, err.Error(), "api_key_file (its value, which is not shown, is not a path)")
	}
}

// A path that is wrong is shown, or nobody finds the mistake.
func TestAWrongPathIsShown(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("keys", 0o700))
	for _, path := range []string{"/no/such/key", "keys/audit", "./keys/audit", "keys"} {
		_, _, err := NewCredential(Credentials{APIKeyFile: path}).Header()
		assert.ErrorContains(t, err, `api_key_file "`+path+`": `)
	}
}

func TestCredentialHeaders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("\ufeff from-file \r\n"), 0o600))
	for _, test := range []struct {
		cfg         Credentials
		name, value string
	}{
		{Credentials{APIKey: "key-1"}, "X-API-Key", "key-1"},
		{Credentials{APIKeyFile: file}, "X-API-Key", "from-file"},
		{Credentials{BearerToken: "token-1"}, "Authorization", "Bearer token-1"},
		{Credentials{BearerTokenFile: file}, "Authorization", "Bearer from-file"},
	} {
		name, value, err := NewCredential(test.cfg).Header()
		require.NoError(t, err)
		assert.Equal(t, test.name, name)
		assert.Equal(t, test.value, value)
	}
}

func TestCredentialFileIsReadAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	c := NewCredential(Credentials{APIKeyFile: file})
	_, _, err := c.Header()
	assert.EqualError(t, err, `api_key_file "`+file+`": cannot be read: no such file or directory`)
	assert.Equal(t, ClassRefused, ClassOf(err))

	for _, key := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(file, []byte(key), 0o600))
		_, value, err := c.Header()
		require.NoError(t, err)
		assert.Equal(t, key, value)
	}
}

func TestCredentialFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"":                               "is empty",
		"\n\t ":                          "is empty",
		"hush-1\nhush-2\n":               "has more than one line; allowed: the credential alone",
		"Bearer hush":                    `has a space in it; allowed: the credential alone, without a word such as "Bearer"`,
		"hush\x00":                       "has a character in it that no credential has; allowed: printable ASCII",
		"h\u00fcsh":                      "has a character in it that no credential has; allowed: printable ASCII",
		"\xff\xfeh\x00u\x00":             "has a character in it that no credential has; allowed: printable ASCII",
		strings.Repeat("h", maxSecret+1): "is larger than 16384 bytes, which no credential is",
		"hush\x7f":                       "has a character in it that no credential has; allowed: printable ASCII",
	} {
		file := filepath.Join(dir, "token")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, _, err := NewCredential(Credentials{BearerTokenFile: file}).Header()
		require.Error(t, err)
		assert.Equal(t, `bearer_token_file "`+file+`": `+want, err.Error())
		assert.NotContains(t, err.Error(), "hush")
	}
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, _, err := NewCredential(Credentials{APIKeyFile: pipe}).Header()
	assert.EqualError(t, err, `api_key_file "`+pipe+`": is not a regular file`, "its writer may never come")
}

func TestLongInlineCredential(t *testing.T) {
	_, _, err := NewCredential(Credentials{APIKey: Secret(strings.Repeat("h", maxSecret+1))}).Header()
	assert.EqualError(t, err, "api_key: is larger than 16384 bytes, which no credential is")
}
