package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func shippedBase(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../../conf/splunk.yaml")
	require.NoError(t, err)
	return text
}

type rendered struct {
	Service  map[string]any
	Pipeline struct{ Inputs, Outputs []map[string]string }
}

func read(t *testing.T, text []byte) (r rendered) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(text, &r))
	return r
}

func list(t *testing.T, text string) ([]Organisation, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "organisations.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return Read(path)
}

func TestAnInputForEachOrganisation(t *testing.T) {
	organisations, err := list(t, "- {name: acme, key_file: /keys/acme}\n"+
		"- {name: globex, key_file: /keys/globex, organization: Globex Inc, "+
		"start: -7d, schema: ecs, tag: wherobots.audit-eu}\n")
	require.NoError(t, err)
	text, err := Render(shippedBase(t), organisations)
	require.NoError(t, err)
	r, base := read(t, text), read(t, shippedBase(t))
	require.Equal(t, base.Service, r.Service)
	require.Len(t, r.Pipeline.Inputs, 2)
	acme, globex := r.Pipeline.Inputs[0], r.Pipeline.Inputs[1]
	want := base.Pipeline.Inputs[0]
	delete(want, "api_key")
	want["alias"], want["tag"], want["api_key_file"] = "acme", "wherobots.audit.acme", "/keys/acme"
	want["organization"] = "acme" // or a SIEM could not tell whose events they are
	want["checkpoint_path"] = "${WHEROBOTS_STATE_DIR:-/var/lib/fluent-bit}/acme.json"
	require.Equal(t, want, acme)
	require.Equal(t, "-7d", globex["start_time"])
	require.Equal(t, "Globex Inc", globex["organization"])
	require.Equal(t, "ecs", globex["schema"])
	require.Equal(t, "wherobots.audit-eu", globex["tag"])
	require.NotEqual(t, acme["checkpoint_path"], globex["checkpoint_path"])
	require.Equal(t, "wherobots.audit*", r.Pipeline.Outputs[0]["match"])
}

func TestAListThatCannotBeMeantIsRefused(t *testing.T) {
	for text, says := range map[string]string{
		"- {name: a, key_file: x}\n- {name: A, key_file: y}\n": "twice",
		"- {name: a/b, key_file: x}\n":                         "no name",
		"- {name: a}\n":                                        "no key_file",
		"- {name: a, key_file: x, shema: ecs}\n":               `"shema"`,
		"[]":                                                   "no organisations",
		"name: a":                                              "not a list",
		"- {name: a, key_file: x, checkpoint_path: /c}\n" +
			"- {name: b, key_file: y, checkpoint_path: /c}\n": "one checkpoint_path",
	} {
		_, err := list(t, text)
		require.ErrorContains(t, err, says, text)
	}
	organisations, err := list(t, "- {name: a, key_file: x, tag: elsewhere}\n")
	require.NoError(t, err)
	_, err = Render(shippedBase(t), organisations)
	require.ErrorContains(t, err, "no output takes the tag elsewhere")
}

func TestAFolderOfKeysIsAList(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "..2026"), 0o700))
	for _, name := range []string{"globex", "acme"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "..2026", name), []byte("key"), 0o600))
		require.NoError(t, os.Symlink(filepath.Join("..2026", name), filepath.Join(dir, name))) // as Kubernetes mounts it
	}
	organisations, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, []Organisation{
		{Name: "acme", Settings: map[string]string{"api_key_file": filepath.Join(dir, "acme")}},
		{Name: "globex", Settings: map[string]string{"api_key_file": filepath.Join(dir, "globex")}},
	}, organisations)
}

func TestShardsHaveEachOrganisationOnceAndKeepIt(t *testing.T) {
	var organisations []Organisation
	for i := range 100 {
		organisations = append(organisations, Organisation{
			Name: fmt.Sprint("org-", i), Settings: map[string]string{"api_key_file": "/k"},
		})
	}
	where := func(list []Organisation) map[string]string {
		files, err := Shards(shippedBase(t), list, 4)
		require.NoError(t, err)
		require.Len(t, files, 4)
		found := make(map[string]string)
		for _, f := range files {
			inputs := read(t, f.Text).Pipeline.Inputs
			require.Greater(t, len(inputs), 10, f.Name)
			for _, input := range inputs {
				require.NotContains(t, found, input["alias"])
				found[input["alias"]] = f.Name
			}
		}
		return found
	}
	all, fewer := where(organisations), where(organisations[1:])
	require.Len(t, all, 100)
	for name, shard := range fewer {
		require.Equal(t, all[name], shard, name)
	}
}

func TestSlicesJoinWithoutAGap(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 5, time.UTC)
	for _, n := range []int{1, 7, 13} {
		files, err := Slices(shippedBase(t), nil, n, "-90d", "-0s", now)
		require.NoError(t, err)
		require.Len(t, files, n)
		at := "2026-08-30T12:00:00Z"
		checkpoints := make(map[string]bool)
		for i, f := range files {
			require.Equal(t, fmt.Sprintf("slice-%d.yaml", i), f.Name)
			input := read(t, f.Text).Pipeline.Inputs[0]
			require.Equal(t, at, input["start_time"])
			require.Less(t, at, input["end_time"])
			require.Equal(t, "on", input["exit_when_complete"])
			require.True(t, strings.HasSuffix(input["checkpoint_path"], fmt.Sprintf("/wherobots_audit-slice-%d.json", i)))
			checkpoints[input["checkpoint_path"]] = true
			at = input["end_time"]
		}
		require.Equal(t, "2026-11-28T12:00:00Z", at)
		require.Len(t, checkpoints, n)
	}
	_, err := Slices(shippedBase(t), nil, 10, "-5s", "-0s", now)
	require.ErrorContains(t, err, "too short")
}
