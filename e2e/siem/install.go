package siem

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// ErrUnavailable is what Start functions return when the store cannot be had here: a package manager is missing, or,
// unless CI=true, it did not deliver.
var ErrUnavailable = errors.New("not available on this machine")

//go:embed java
var javaFiles embed.FS

// building and fetching let one goroutine at a time build a Go program, which takes every processor, and ask Maven,
// which takes the network.
var building, fetching sync.Mutex

// cacheDir is where everything is installed, by name and version.
func cacheDir() (string, error) {
	if dir := os.Getenv("SIEM_CACHE"); dir != "" {
		return dir, os.MkdirAll(dir, 0o755)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	dir = filepath.Join(dir, "in_wherobots_audit", "siem")
	return dir, os.MkdirAll(dir, 0o755)
}

// goProgram builds a program of a Go module, once for each version.
func goProgram(pkg, version string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	name := filepath.Base(pkg)
	program := filepath.Join(cache, name+"-"+version)
	if exists(program) {
		return program, nil
	}
	building.Lock()
	defer building.Unlock()
	if exists(program) { // whoever had the lock has built it
		return program, nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return "", fmt.Errorf("%s: %w: %w", name, ErrUnavailable, err)
	}
	dir, err := os.MkdirTemp(cache, name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "install", pkg+"@"+version)
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	if err := install(build); err != nil {
		return "", err
	}
	return program, os.Rename(filepath.Join(dir, name), program)
}

// classpath resolves the dependencies of java/NAME.xml from Maven Central.
func classpath(name string) (string, error) {
	fetching.Lock() // for a second, if all is there
	defer fetching.Unlock()
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	project, err := javaFiles.ReadFile("java/" + name + ".xml")
	if err != nil {
		return "", err
	}
	list := filepath.Join(cache, fmt.Sprintf("%s-%x.classpath", name, sha256.Sum256(project)))
	if jars, err := os.ReadFile(list); err == nil && present(string(jars)) {
		return string(jars), nil
	}
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s: %w: %w", name, ErrUnavailable, err)
		}
	}
	file := filepath.Join(cache, name+".xml")
	if err := os.WriteFile(file, project, 0o600); err != nil {
		return "", err
	}
	const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
	if err := install(exec.Command("mvn", "-q", "-B", "-f", file, plugin, "-Dmdep.outputFile="+list)); err != nil {
		return "", err
	}
	jars, err := os.ReadFile(list)
	return string(jars), err
}

// present reports whether every file of a class path is still there.
func present(jars string) bool {
	for jar := range strings.SplitSeq(jars, ":") {
		if !exists(jar) {
			return false
		}
	}
	return jars != ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// source writes a file of java/ into a directory, for `java FILE`.
func source(dir, name string) (string, error) {
	text, err := javaFiles.ReadFile("java/" + name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, text, 0o600)
}

// install runs a package manager, again if it fails: registries are reached through networks. What CI cannot install
// is a failure; elsewhere the machine may have no network, and the tests are skipped.
func install(command *exec.Cmd) error {
	const tries = 3
	var output bytes.Buffer
	for try := 1; ; try++ {
		output.Reset()
		again := exec.Command(command.Args[0], command.Args[1:]...)
		again.Env, again.Stdout, again.Stderr = command.Env, &output, &output
		err := again.Run()
		if err == nil {
			return nil
		}
		if try < tries && os.Getenv("CI") == "true" {
			continue
		}
		err = fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err, output.Bytes())
		if os.Getenv("CI") == "true" {
			return err
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
