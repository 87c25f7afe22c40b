package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// What TestMain found and built.
var (
	root   string // of the repository
	plugin string // the shared object
	hosts  []host
	// engineVersion is that of the real engine, if there is one.
	engineVersion string
)

// usualKills is what CI does; make chaos does more, with an endpoint that is worse.
const usualKills = 5

var (
	chaosKills = flag.Int("chaos.kills", usualKills, "how often TestChaos kills each host")
	chaosDoc   = flag.String("chaos.doc", "", "file that TestChaos writes its table into")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait far more than they compute.
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = parallel.Value.Set("4")
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// prepare builds what is tested and looks for an engine.
func prepare() error {
	var err error
	if root, err = filepath.Abs(".."); err != nil {
		return err
	}
	build := exec.Command("make", "-C", root, "build/in_wherobots_audit.so", "build/host", "build/simulated-endpoint",
		"build/wherobots-audit")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("make: %w\n%s", err, output)
	}
	plugin = filepath.Join(root, "build", "in_wherobots_audit.so")
	hosts = []host{bundled{filepath.Join(root, "build", "host")}}
	names := []string{"bundled"}
	if path, version := findEngine(); path != "" {
		hosts = append(hosts, engine{path})
		engineVersion = version
		names = append(names, fmt.Sprintf("%s (%s)", path, version))
	}
	fmt.Println("hosts: " + strings.Join(names, ", "))
	return nil
}

// findEngine returns the path and version of a Fluent Bit that runs here.
func findEngine() (path, version string) {
	name := os.Getenv("FLUENT_BIT")
	if name == "" {
		name = "fluent-bit"
	}
	return engineAt(name)
}

// engineAt is findEngine for a path or a name on the PATH.
func engineAt(name string) (path, version string) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", ""
	}
	output, err := exec.Command(path, "--version").Output()
	first, _, _ := strings.Cut(string(output), "\n")
	if err != nil {
		return "", ""
	}
	return path, strings.TrimPrefix(strings.TrimSpace(first), "Fluent Bit v")
}

// old says that this is an engine before 4.1: it calls without contexts, so it
// can have one instance only, and it runs on without an input that did not start.
func old(h host) bool {
	if _, real := h.(engine); !real {
		return false
	}
	var major, minor int
	_, err := fmt.Sscanf(engineVersion, "%d.%d", &major, &minor)
	return err == nil && (major < 4 || major == 4 && minor < 1)
}

// onEachHost runs the test in every host, side by side.
func onEachHost(t *testing.T, test func(t *testing.T, h host)) {
	t.Helper()
	for _, h := range hosts {
		t.Run(h.name(), func(t *testing.T) {
			t.Parallel()
			test(t, h)
		})
	}
}
