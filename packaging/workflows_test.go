package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// actionlint knows GitHub's workflows: their keys, expressions, runners, permissions, and what popular actions take.
const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

func TestWorkflows(t *testing.T) {
	lint := func(arguments ...string) ([]byte, error) {
		command := exec.Command("go", append([]string{"run", actionlint}, arguments...)...)
		command.Dir = ".."
		command.Env = append(os.Environ(), "GOFLAGS=")
		return command.CombinedOutput()
	}
	if text, err := lint("-version"); err != nil {
		t.Skipf("actionlint cannot be had: %s", lastLine(string(text)))
	}
	text, err := lint("-no-color")
	assert.NoError(t, err, "%s", text)
}

// A tag of an action can be moved by whoever owns it; a commit cannot. The comment is what dependabot keeps up to date.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^\s*(- )?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, workflows)
	for _, path := range workflows {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "uses:") {
				assert.Regexp(t, pinned, strings.TrimRight(line, "\n"), path)
			}
		}
	}
}

func TestGoReleaser(t *testing.T) {
	needs(t, "goreleaser") // building it takes minutes; the workflow has it
	check := exec.Command("goreleaser", "check")
	check.Dir = ".."
	text, err := check.CombinedOutput()
	assert.NoError(t, err, "%s", text)
}

// What docs/install.md tells to verify is what the workflow makes: the list, its bundle, and who signs.
func TestVerifyingIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../.goreleaser.yaml")
	require.NoError(t, err)
	var released struct {
		Checksum struct {
			NameTemplate string `yaml:"name_template"`
		}
		Signs []struct{ Signature string }
	}
	require.NoError(t, yaml.Unmarshal(text, &released))
	require.Len(t, released.Signs, 1)
	list := released.Checksum.NameTemplate
	bundle := strings.ReplaceAll(released.Signs[0].Signature, "${artifact}", list)

	install, err := os.ReadFile("../docs/install.md")
	require.NoError(t, err)
	assert.Contains(t, string(install), "--bundle "+bundle)
	assert.Contains(t, string(install), "sha256sum --check --ignore-missing "+list)
	found := regexp.MustCompile(`/\.github/workflows/(\w+\.yml)`).FindAllStringSubmatch(string(install), -1)
	require.Len(t, found, 2, "cosign's identity and GitHub's")
	for _, workflow := range found {
		text, err := os.ReadFile("../.github/workflows/" + workflow[1])
		require.NoError(t, err)
		assert.Contains(t, string(text), "goreleaser/goreleaser-action@", "the workflow that signs")
	}
}
