package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const file = "../../conf/monitoring/grafana-dashboard.json"

// The picture is well formed, and has every panel and what Prometheus answers.
func TestPicture(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("query"))
		now := time.Now().Unix()
		values := fmt.Sprintf(`[%d,"1"],[%d,"NaN"],[%d,"1"]`, now-60, now-30, now)
		fmt.Fprintf(w, `{"data":{"result":[{"metric":{"name":"a<b","outcome":"ok"},"values":[%s]}]}}`, values)
	}))
	defer server.Close()
	var out strings.Builder
	require.NoError(t, run(&out, server.URL, "fluent-bit", time.Now(), time.Hour, file))
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			require.NoError(t, err)
		}
	}
	assert.Contains(t, out.String(), ">a&lt;b ok<")
	assert.Contains(t, out.String(), ">Collecting<")
	assert.Contains(t, out.String(), ">yes<", "a mapped value")
	assert.NotContains(t, out.String(), "NaN")
	assert.Contains(t, asked, `wherobots_audit_up{name=~".*",job="fluent-bit"}`)
	for _, query := range asked {
		assert.NotContains(t, query, "$")
	}
}

// The picture of the documentation is small, and of this dashboard.
func TestPictureOfTheDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "dashboard.svg"))
	require.NoError(t, err)
	assert.Less(t, len(text), 150_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":{"result":[]}}`)
	}))
	defer server.Close()
	var empty strings.Builder
	require.NoError(t, run(&empty, server.URL, "", time.Now(), time.Hour, file))
	for line := range strings.Lines(empty.String()) {
		if strings.Contains(line, `fill="#ddd"`) {
			assert.Contains(t, string(text), line, "a panel that the picture has not, or elsewhere: make it anew")
		}
	}
}
