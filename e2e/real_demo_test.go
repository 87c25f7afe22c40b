package e2e

import (
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

var demoPicture = flag.String("demo.picture", "", "file that TestRealDemo writes a picture of the page into")

var demoAddress = regexp.MustCompile(`(?m)^demo: (http://(127\.0\.0\.1:\d+)/\S+)$`)

// `make demo` says where the page is when events are on it, a browser shows them, and Ctrl-C ends everything: no
// process and no file is left. The hosts come one after the other, as there is one address that everybody knows.
func TestRealDemo(t *testing.T) {
	t.Parallel()
	store(t, startVictoriaLogs).Stop() // or this machine cannot have it
	for _, h := range hosts {
		t.Run(h.name(), func(t *testing.T) { showDemo(t, h) })
	}
}

func showDemo(t *testing.T, h host) {
	r := &rig{host: h, dir: t.TempDir()}
	log, err := os.Create(r.path("log"))
	require.NoError(t, err)
	defer log.Close()
	temporary := t.TempDir()
	make := exec.Command("make", "-C", root, "demo")
	make.Env = append(withoutKey(os.Environ()), "FLUENT_BIT="+enginePath(h), "TMPDIR="+temporary)
	make.Stdout, make.Stderr = log, log
	make.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := launch(t, r, make)
	p.until(4*time.Minute, "the address", func() bool { return demoAddress.MatchString(r.log(t)) })
	match := demoAddress.FindStringSubmatch(r.log(t))
	page, v := match[1], &siem.VictoriaLogs{Server: &siem.Server{Address: match[2]}}
	p.until(4*time.Minute, "the past and new events", func() bool {
		return number(t, v, `event_id:* record_type:"" | stats count() n`) > 2_005
	})
	assert.Zero(t, number(t, v, `_msg:"missing _msg field" | stats count() n`), "the page shows the message")
	t.Run("page", func(t *testing.T) { lookAt(t, page) })

	require.NoError(t, syscall.Kill(-make.Process.Pid, syscall.SIGINT))
	p.wait(30 * time.Second)
	_, err = http.Get("http://" + v.Address)
	require.Error(t, err, "the store still answers")
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Empty(t, processesWith(t, temporary))
}

// lookAt opens the page in a headless browser.
func lookAt(t *testing.T, page string) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium: VictoriaLogs was asked for the events, and nobody looked at its page")
	}
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir=" + t.TempDir(), "--window-size=1160,640", "--virtual-time-budget=20000",
	}
	if *demoPicture != "" {
		output, err := exec.Command(browser, append(args, "--screenshot="+*demoPicture, page)...).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	document, err := exec.Command(browser, append(args, "--dump-dom", page)...).Output()
	require.NoError(t, err)
	text := string(document)
	for _, action := range []string{"create_api_key", "grant_role", "login", "delete_file", "invite_user"} {
		assert.Contains(t, text, action)
	}
	assert.Regexp(t, `Total: .*?2,?\d{3}\b`, text, "of a day")
}

// processesWith lists the commands of running processes in whose arguments a text is.
func processesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		command, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(command), text) {
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}
