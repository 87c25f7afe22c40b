// Package compose checks compose.yaml: as Compose reads it, and by running its processes without containers.
package compose

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// reader is the reference implementation of the Compose Specification, which Docker Compose uses.
const reader = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"

const root = "../.."

type service struct {
	Image       string
	Command     []string
	Environment map[string]string
	Ports       []struct {
		HostIP string `json:"host_ip"`
	}
	Volumes []struct{ Type, Source, Target string }
	Build   *struct{ Context, Dockerfile string }
}

// project returns the services as Compose understands them; what it does not know is an error.
func project(t *testing.T) map[string]service {
	t.Helper()
	read := func(arguments ...string) (string, string, error) {
		command := exec.Command("go", append([]string{"run", reader}, arguments...)...)
		command.Dir = root
		command.Env = append(os.Environ(), "GOFLAGS=")
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		err := command.Run()
		return stdout.String(), stderr.String(), err
	}
	if _, said, err := read("-help"); err != nil && !strings.Contains(said, "-no-consistency") {
		t.Skipf("compose-go cannot be had: %s", said)
	}
	text, said, err := read("-format", "json", "compose.yaml")
	require.NoError(t, err, "%s", said)
	var model struct{ Services map[string]service }
	require.NoError(t, json.Unmarshal([]byte(text), &model))
	return model.Services
}

// Nothing can be reached from other machines, every file is there, and every variable is one that somebody reads.
func TestCompose(t *testing.T) {
	services := project(t)
	assert.Equal(t, []string{"endpoint", "fluent-bit", "grafana", "prometheus", "victorialogs"},
		slices.Sorted(maps.Keys(services)))
	for name, s := range services {
		for _, port := range s.Ports {
			assert.Equal(t, "127.0.0.1", port.HostIP, name)
		}
		for _, volume := range s.Volumes {
			if volume.Type == "bind" {
				_, err := os.Stat(volume.Source)
				assert.NoError(t, err, name)
			}
		}
		if s.Build == nil {
			assert.Regexp(t, `:v?\d+\.\d+\.\d+(@sha256:\w+)?$`, s.Image, name)
		} else {
			assert.FileExists(t, filepath.Join(root, s.Build.Dockerfile), name)
		}
	}
	collector := services["fluent-bit"]
	read, err := os.ReadFile(configuration(t, collector))
	require.NoError(t, err)
	for variable := range collector.Environment {
		assert.Regexp(t, `\b`+variable+`\b`, string(read))
	}
	assert.Contains(t, services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"],
		services["grafana"].Volumes[1].Target)
}

// configuration is the file in the repository that the image has where the command says.
func configuration(t *testing.T, collector service) string {
	t.Helper()
	require.Len(t, collector.Command, 2)
	name, found := strings.CutPrefix(collector.Command[1], "/fluent-bit/etc/wherobots/")
	require.True(t, found, collector.Command[1])
	return filepath.Join(root, "conf", name)
}

// What the containers run shows what look.sh looks for, with this machine's Fluent Bit and Prometheus. Grafana is left
// to the workflow.
func TestTheProcesses(t *testing.T) {
	for _, program := range []string{"curl", "jq", "prometheus"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	engine := os.Getenv("FLUENT_BIT")
	if engine == "" {
		engine = "fluent-bit"
	}
	if _, err := exec.LookPath(engine); err != nil {
		t.Skip("there is no Fluent Bit")
	}
	services := project(t)
	text, err := exec.Command("make", "-C", root, "build", "build/simulated-endpoint").CombinedOutput()
	require.NoError(t, err, "%s", text)
	store, err := siem.StartVictoriaLogs(t.TempDir(), "")
	if errors.Is(err, siem.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(store.Stop)
	addresses, err := loopback.Addresses(3)
	require.NoError(t, err)
	endpoint, figures, prometheus := addresses[0], addresses[1], addresses[2]

	arguments := slices.Clone(services["endpoint"].Command)
	at := slices.Index(arguments, "0.0.0.0:8090")
	require.Positive(t, at)
	arguments[at] = endpoint
	start(t, filepath.Join(root, "build", "simulated-endpoint"), nil, arguments...)
	collect(t, engine, services["fluent-bit"], endpoint, figures, store)
	start(t, "prometheus", nil, "--config.file="+scraping(t, figures), "--web.listen-address="+prometheus,
		"--storage.tsdb.path="+t.TempDir())

	look := exec.Command("./look.sh")
	look.Env = append(os.Environ(), "STORE="+store.URL(), "PROMETHEUS=http://"+prometheus, "GRAFANA=none")
	text, err = look.CombinedOutput()
	require.NoError(t, err, "%s", text)
	assert.Equal(t, "the events of a day\nthe collection is up\nthe alerts are loaded\nno alert fires\n", string(text))
}

func collect(t *testing.T, engine string, s service, endpoint, figures string, store *siem.VictoriaLogs) {
	t.Helper()
	state := t.TempDir()
	object, err := filepath.Abs(filepath.Join(root, "build", "in_wherobots_audit.so"))
	require.NoError(t, err)
	list := filepath.Join(state, "plugins.yaml")
	require.NoError(t, os.WriteFile(list, []byte("plugins:\n  - "+object+"\n"), 0o600))
	_, port, err := net.SplitHostPort(figures)
	require.NoError(t, err)
	environment := maps.Clone(s.Environment)
	for name, value := range map[string]string{
		"WHEROBOTS_ENDPOINT": "http://" + endpoint, "WHEROBOTS_STATE_DIR": state, "WHEROBOTS_PLUGINS_FILE": list,
		"FLUENT_BIT_HTTP_LISTEN": "127.0.0.1", "FLUENT_BIT_HTTP_PORT": port,
		"VICTORIALOGS_HOST": store.Host(), "VICTORIALOGS_PORT": store.Port(),
	} {
		environment[name] = value
	}
	start(t, engine, environment, "-c", configuration(t, s))
}

// scraping is the configuration of Prometheus, with the addresses and paths of this machine.
func scraping(t *testing.T, figures string) string {
	t.Helper()
	text, err := os.ReadFile("prometheus.yml")
	require.NoError(t, err)
	rules, err := filepath.Abs(filepath.Join(root, "conf/monitoring/rules.yml"))
	require.NoError(t, err)
	replaced := string(text)
	for from, to := range map[string]string{"fluent-bit:2020": figures, "/etc/prometheus/rules.yml": rules} {
		require.Contains(t, replaced, from)
		replaced = strings.ReplaceAll(replaced, from, to)
	}
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	require.NoError(t, os.WriteFile(path, []byte(replaced), 0o600))
	return path
}

var credential = regexp.MustCompile(`^WHEROBOTS_\w+=`)

// start runs a program until the test ends.
func start(t *testing.T, program string, environment map[string]string, arguments ...string) {
	t.Helper()
	command := exec.Command(program, arguments...)
	command.Env = slices.DeleteFunc(os.Environ(), credential.MatchString) // none of the person who runs the test
	for name, value := range environment {
		command.Env = append(command.Env, name+"="+value)
	}
	server, err := siem.Launch(t.TempDir(), "", command)
	require.NoError(t, err)
	t.Cleanup(func() {
		server.Stop()
		if text, err := os.ReadFile(server.Log); err == nil && t.Failed() {
			t.Logf("%s\n%s", program, text[max(0, len(text)-2000):])
		}
	})
}
