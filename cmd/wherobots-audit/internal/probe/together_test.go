package probe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// Fifty organisations are not asked for one after the other, nor all at once, and are told of in their order.
func TestInputsAreTriedSideBySide(t *testing.T) {
	var now, most atomic.Int64
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(50 * time.Millisecond)
		now.Add(-1)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer endpoint.Close()
	var all []Needs
	for i := range 3 * atOnce {
		cfg, err := config.Parse(func(key string) string {
			return map[string]string{
				"endpoint": endpoint.URL, "api_key": "hush", "proxy": "none",
				"checkpoint_path": filepath.Join(t.TempDir(), "c.json"),
			}[key]
		})
		require.NoError(t, err)
		all = append(all, Needs{Name: fmt.Sprintf("org-%02d", i), Config: cfg})
	}
	findings := RunAll(context.Background(), all)
	require.Greater(t, most.Load(), int64(1))
	require.LessOrEqual(t, most.Load(), int64(atOnce))
	var names []string
	for _, f := range findings {
		require.NotContains(t, f.Text, url.QueryEscape("hush"))
		names = append(names, f.Place)
	}
	require.True(t, slices.IsSorted(names), names)
	require.Len(t, slices.Compact(names), len(all))
}
