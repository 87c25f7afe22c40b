package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a server takes as a header is a credential, however long and whatever it is made of.
func TestTheLongestCredentialAndEachCharacterOfOneAreTaken(t *testing.T) {
	every := make([]byte, 0, 0x7f)
	for b := byte(0x21); b < 0x7f; b++ {
		every = append(every, b)
	}
	file := filepath.Join(t.TempDir(), "key")
	for _, secret := range []string{string(every), strings.Repeat("h", maxSecret)} {
		require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
		for _, cfg := range []Credentials{{APIKey: Secret(secret)}, {APIKeyFile: file}} {
			_, value, err := NewCredential(cfg).Header()
			require.NoError(t, err)
			require.Equal(t, secret, value)
		}
	}
}

func TestThatNoSecretIsSetMayBeSeen(t *testing.T) {
	require.Empty(t, Secret("").String())
	require.Equal(t, "[redacted]", Secret("hush").String())
}
