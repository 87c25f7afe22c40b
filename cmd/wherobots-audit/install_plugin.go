package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// installPluginCommand copies what the plugin-only image has into a folder that Fluent Bit's container sees too.
type installPluginCommand struct {
	Dir  string `arg:"" help:"Folder to copy into; it is made if it is not there."`
	From string `placeholder:"DIR" help:"Folder to copy from (default: where this command is)."`
	As   string `placeholder:"DIR" help:"How Fluent Bit sees the folder, if that is not DIR."`
}

const sharedObject = "in_wherobots_audit.so"

func (i installPluginCommand) Run(c *console) error {
	from, err := i.from()
	if err != nil {
		return err
	}
	for _, name := range []string{sharedObject, "wherobots-audit", "conf"} {
		if _, err := os.Stat(filepath.Join(from, name)); err != nil {
			return &exitError{exitUsage, fmt.Errorf("%s has no %s: name a folder that has all three, as the plugin-only image "+
				"does, with --from; from a checkout, use make install", from, name)}
		}
	}
	to, err := filepath.Abs(i.Dir)
	if err != nil {
		return err
	}
	for name, mode := range map[string]fs.FileMode{sharedObject: 0o644, "wherobots-audit": 0o755} {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name), mode); err != nil {
			return err
		}
	}
	if err := copyFolder(filepath.Join(from, "conf"), filepath.Join(to, "conf")); err != nil {
		return err
	}
	seen := i.As
	if seen == "" {
		seen = to
	}
	list := fmt.Sprintf("# Written by wherobots-audit install-plugin.\n[PLUGINS]\n    Path %s\n",
		filepath.Join(seen, sharedObject))
	if err := replaceFile(filepath.Join(to, "conf", "plugins.conf"), 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, list)
		return err
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "installed in %s; set WHEROBOTS_PLUGINS_FILE=%s\n", to,
		filepath.Join(seen, "conf", "plugins.conf"))
	return err
}

func (i installPluginCommand) from() (string, error) {
	if i.From != "" {
		return i.From, nil
	}
	program, err := os.Executable()
	return filepath.Dir(program), err
}

func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, below), 0o644)
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return replaceFile(to, mode, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}

// replaceFile puts a whole file into place at once: a shared object that a process has loaded must not change under it.
func replaceFile(path string, mode fs.FileMode, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".install-*")
	if err != nil {
		return err
	}
	defer func() {
		file.Close()
		_ = os.Remove(file.Name()) // it is gone if it was renamed
	}()
	if err := write(file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
