package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPseudonymsOfWhoMayKnow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("k", 32)+"\n"), 0o600))
	const ada, address = "p-1c46a892e933b2b3b269dc801af7f942", "fdf4:54a1:617:e392:7f54:b8c9:2795:8448"
	code, out, text := try("pseudonym", "--key-file", file, "ada@example.com", "203.0.113.7")
	require.Zero(t, code, text)
	require.Equal(t, ada+"\n"+address+"\n", out)

	code, out, _ = try("pseudonym", "--json", "--key-file", file, "ada@example.com")
	require.Zero(t, code)
	require.JSONEq(t, `[{"value": "ada@example.com", "pseudonym": "`+ada+`"}]`, out)

	var o, e bytes.Buffer
	require.Zero(t, run([]string{"pseudonym", "--key-file", file, "-"},
		console{in: strings.NewReader("ada@example.com\n\n203.0.113.7"), out: &o, err: &e}), e.String())
	require.Equal(t, ada+"\n\n"+address+"\n", o.String(), "a line for a line")

	code, _, text = try("pseudonym", "--key-file", file+"2", "x")
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "pseudonymize_key_file")
	code, _, _ = try("pseudonym", "x")
	require.Equal(t, exitUsage, code)
}
