package source

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func jwt(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + ".c2ln"
}

func TestExpiryOfAJWT(t *testing.T) {
	at := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for token, want := range map[string]time.Time{
		jwt(fmt.Sprintf(`{"sub":"audit","exp":%d}`, at.Unix())): at,
		jwt(fmt.Sprintf(`{"exp":%d.5}`, at.Unix())):             at,
		jwt(`{"sub":"audit"}`):                                  {},
		jwt(`{"exp":"soon"}`):                                   {},
		jwt(`{"exp":-1}`):                                       {},
		jwt(`{"exp":253402300799}`):                             time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		jwt(`{"exp":253402300800}`):                             {},
		jwt(`{"exp":1e300}`):                                    {},
		jwt(`no claims`):                                        {},
		"a.%%%.b":                                               {},
		"Wb-0123456789abcdef":                                   {},
		"v1.local.key":                                          {},
		jwt(fmt.Sprintf(`{"exp":%d}`, at.Unix())) + ".fourth part": {},
	} {
		assert.Equal(t, want, expiryOf(token), token)
	}
}

// The age of a file's credential survives a restart; that of another one begins when it is used first.
func TestAgeOfACredential(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("key-1"), 0o600))
	written := time.Now().Add(-72 * time.Hour).Truncate(time.Second)
	require.NoError(t, os.Chtimes(file, written, written))
	var f credentialFacts
	assert.Zero(t, f.get())
	f.note("key-1", file)
	assert.True(t, f.get().Since.Equal(written))

	synctest.Test(t, func(t *testing.T) {
		var f credentialFacts
		began := time.Now()
		f.note("key-1", "")
		time.Sleep(time.Hour)
		f.note("key-1", "")
		assert.Equal(t, began, f.get().Since)
		f.note(jwt(`{"exp":2000000000}`), "")
		assert.Equal(t, began.Add(time.Hour), f.get().Since)
		assert.EqualValues(t, 2000000000, f.get().Expires.Unix())
		f.note("key-2", "")
		assert.Zero(t, f.get().Expires)
	})
}
