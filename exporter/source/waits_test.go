package source

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Instances that failed together for an hour must not come back together.
func TestWaitsAreJitteredAtTheSlowEndToo(t *testing.T) {
	r, waits := NewRetry(time.Minute), make(map[time.Duration]bool)
	for n := range 40 {
		if wait := r.Next(errors.New("x")); n >= 20 {
			waits[wait] = true
		}
	}
	require.Greater(t, len(waits), 10)
}

// A window that cannot be halved any more is asked for again as anything else that fails.
func TestWaitsDoubleAfterTheLastHalf(t *testing.T) {
	r, shrink := NewRetry(5*time.Minute), fmt.Errorf("x: %w", errRequestTimeout)
	for range maxShrinks {
		r.Next(shrink)
	}
	for n := range 8 {
		wait := r.Next(shrink)
		require.LessOrEqual(t, wait, time.Second<<n, "try %d", n)
		require.GreaterOrEqual(t, wait, time.Second<<n/2-time.Millisecond, "try %d", n)
	}
}

// A CA of one's own is trusted besides the system's: the endpoint is public, a proxy may be in between or not.
func TestACAFileAddsToTheSystemsCertificates(t *testing.T) {
	file := exportertest.WriteCA(t, t.TempDir())
	want, err := x509.SystemCertPool()
	if err != nil {
		t.Skip(err)
	}
	pem, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, want.AppendCertsFromPEM(pem))
	roots, err := LoadRoots(file)
	require.NoError(t, err)
	require.True(t, roots.Equal(want))
}
