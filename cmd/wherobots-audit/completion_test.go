package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// completions lets a real bash complete the last word.
func completions(t *testing.T, words ...string) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to complete with")
	}
	code, script, _ := try("completion")
	require.Zero(t, code)
	line := script + "\nCOMP_WORDS=(wherobots-audit \"$@\"); COMP_CWORD=$#; _wherobots_audit; echo \"${COMPREPLY[@]}\""
	out, err := exec.Command(bash, append([]string{"-eu", "-c", line, "-"}, words...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

func TestCompletion(t *testing.T) {
	require.Equal(t, "check checkpoint", completions(t, "che"))
	require.Equal(t, "rewind", completions(t, "checkpoint", "rew"))
	require.Equal(t, "--offline", completions(t, "check", "--off"))
	require.Equal(t, "--json", completions(t, "check", "--js"))
	require.Equal(t, "health.go health_test.go", completions(t, "check", "-c", "health"))
	code, script, _ := try("completion", "zsh")
	require.Zero(t, code)
	require.Contains(t, script, "bashcompinit")
	code, _, _ = try("completion", "tcsh")
	require.Equal(t, exitUsage, code)
}
