package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"live":true}`) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "{\"reason\":\"refused\"}\x1b[2J")
	})
	mux.Handle("/elsewhere", http.RedirectHandler("/livez", http.StatusFound))
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")

	code, out, _ := try("health", "--url", server.URL+"/livez")
	require.Zero(t, code)
	require.Equal(t, "healthy (200) {\"live\":true}\n", out)

	code, out, _ = try("health", "--url", server.URL+"/readyz")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "not healthy (503)")
	require.Contains(t, out, "refused")
	require.NotContains(t, out, "\x1b")

	code, out, _ = try("--json", "health", "--url", server.URL+"/readyz")
	require.Equal(t, exitFailed, code)
	var answer healthAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	require.Equal(t, 503, answer.Status)

	code, _, _ = try("health", "--url", server.URL+"/elsewhere")
	require.Equal(t, exitFailed, code)

	code, out, _ = try("health", "--url", "http://127.0.0.1:1/livez")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "set status_listen, or name its address with --url")

	began := time.Now()
	code, out, _ = try("health", "--timeout", "100ms", "--url", server.URL+"/slow")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "deadline")
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestHealthOfNobody(t *testing.T) {
	code, out, _ := try("health", "--url", "http://user:hush-hush@127.0.0.1:1/livez")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "refused")
	require.NotContains(t, out, "hush-hush")
	for _, url := range []string{"", "livez", "ftp://a/b", "http://"} {
		code, _, _ = try("health", "--url="+url)
		require.Equal(t, exitUsage, code, url)
	}
}
