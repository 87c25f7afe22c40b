package packaging

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

//go:generate go test -run ^TestThirdPartyLicenses$ -update .

// standardLibrary is linked into every program, and no module.
const standardLibrary = "Go's standard library and runtime"

// linked is a module of which something is linked in.
type linked struct {
	into  map[string]bool // the binaries
	files map[string]bool // paths of what it says about its license, by their names in the module
	dir   string
}

// Whoever hands on a binary must hand on the licenses of what is linked in: archives, packages and images have this
// file. It names no versions, which the bills of materials have, so that most updates leave it as it is.
func TestThirdPartyLicenses(t *testing.T) {
	modules := map[string]*linked{}
	for _, arch := range []string{"amd64", "arm64"} {
		linkedInto(t, modules, "in_wherobots_audit.so", "..", "CGO_ENABLED=1", "GOARCH="+arch)
		linkedInto(t, modules, "wherobots-audit", "../cmd/wherobots-audit", "CGO_ENABLED=0", "GOARCH="+arch)
	}
	var report, texts bytes.Buffer
	report.WriteString("What is linked into in_wherobots_audit.so and wherobots-audit beside their own code, whose\n" +
		"license is the Apache License, Version 2.0. The texts follow. Made by `go generate ./packaging`.\n\n")
	fmt.Fprintf(&report, "%-36s %-24s %s\n", "module", "license", "linked into")
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		module := modules[path]
		known := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(module.files)) {
			text, err := os.ReadFile(filepath.Join(module.dir, name))
			require.NoError(t, err)
			for _, license := range licensesOf(string(text)) {
				known[license] = true
			}
			fmt.Fprintf(&texts, "\n%s\n%s: %s\n%[1]s\n\n%[4]s\n", strings.Repeat("=", 100), path, name, bytes.TrimSpace(text))
		}
		require.NotEmpty(t, known, "%s: no license that is known; look at it, and at licensesOf", path)
		fmt.Fprintf(&report, "%-36s %-24s %s\n", path, strings.Join(slices.Sorted(maps.Keys(known)), ", "),
			strings.Join(slices.Sorted(maps.Keys(module.into)), ", "))
	}
	golden.Equal(t, "THIRD_PARTY_LICENSES", append(report.Bytes(), texts.Bytes()...))
}

var aboutLicense = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)(\.(md|txt))?$`)

// linkedInto adds the modules of a package's dependencies. What a package says below its module's root counts too.
func linkedInto(t *testing.T, modules map[string]*linked, binary, dir string, environment ...string) {
	t.Helper()
	add := func(path, root, folder string) {
		module := modules[path]
		if module == nil {
			module = &linked{map[string]bool{}, map[string]bool{}, root}
			modules[path] = module
		}
		module.into[binary] = true
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, entry := range entries {
			name, err := filepath.Rel(root, filepath.Join(folder, entry.Name()))
			require.NoError(t, err)
			if aboutLicense.MatchString(entry.Name()) && entry.Type().IsRegular() {
				module.files[name] = true
			}
		}
	}
	root := strings.TrimSpace(output(t, "go", "env", "GOROOT"))
	add(standardLibrary, root, root)
	if len(modules[standardLibrary].files) == 0 {
		t.Skipf("the Go in %s came without its license", root)
	}
	list := exec.Command("go", "list", "-deps", "-tags=notfastpath",
		"-f={{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}} {{$.Dir}}{{end}}{{end}}", ".")
	list.Dir, list.Stderr = dir, os.Stderr
	list.Env = append(append(os.Environ(), "GOOS=linux"), environment...)
	text, err := list.Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		require.Len(t, fields, 3)
		for folder := fields[2]; ; folder = filepath.Dir(folder) {
			add(fields[0], fields[1], folder)
			if folder == fields[1] {
				break
			}
		}
	}
}

var (
	copyleft = regexp.MustCompile(`(?i)GNU (Lesser |Affero )?General Public|Mozilla Public|Server Side Public`)
	spaces   = regexp.MustCompile(`\s+`)
)

// licensesOf are the SPDX identifiers of what a text grants. All of them may be linked into a work under Apache-2.0.
func licensesOf(text string) (found []string) {
	text = spaces.ReplaceAllString(text, " ")
	if copyleft.MatchString(text) {
		return nil
	}
	if strings.Contains(text, "Apache License, Version 2.0") || strings.Contains(text, "Apache License Version 2.0") {
		found = append(found, "Apache-2.0")
	}
	if strings.Contains(text, "Permission is hereby granted, free of charge, to any person") {
		found = append(found, "MIT")
	}
	if strings.Contains(text, "Redistribution and use in source and binary forms") {
		if strings.Contains(text, "Neither the name") {
			return append(found, "BSD-3-Clause")
		}
		return append(found, "BSD-2-Clause")
	}
	return found
}

func TestLicensesOf(t *testing.T) {
	own, err := os.ReadFile("../LICENSE")
	require.NoError(t, err)
	assert.Equal(t, []string{"Apache-2.0"}, licensesOf(string(own)))
	const grant = "Permission is hereby granted, free of charge, to any person"
	assert.Equal(t, []string{"MIT"}, licensesOf(grant))
	assert.Empty(t, licensesOf("GNU LESSER GENERAL PUBLIC LICENSE\n"+grant))
	assert.Empty(t, licensesOf("All rights reserved."))
}
