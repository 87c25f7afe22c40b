package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile writes what a person asked to be put into the file at path, which is replaced when all of it is there: a
// disk that is full, or a source that cannot be read, must not cost a document of before. It refuses to replace those
// that it is made of, or that something else needs.
func writeFile(flag, path string, needed []string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, other := range needed {
		if sameFile(path, info, other) {
			return &exitError{exitUsage, fmt.Errorf("%s %s would overwrite %s; name another file", flag, path, other)}
		}
	}
	switch {
	case info == nil:
	case info.Mode().IsRegular():
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	default: // a pipe or a terminal has nothing that could be lost
		return writeOver(path, write)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return err
	}
	return replaceFile(path, 0o600, write)
}

func writeOver(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// sameFile reports whether path, of which info is known unless it does not exist, is other.
func sameFile(path string, info fs.FileInfo, other string) bool {
	if info != nil {
		known, err := os.Stat(other)
		return err == nil && os.SameFile(info, known)
	}
	a, errA := filepath.Abs(path)
	b, errB := filepath.Abs(other)
	return errA == nil && errB == nil && a == b
}

// besides are the files that belong to a checkpoint, itself included.
func besides(checkpoint string) []string {
	return []string{checkpoint, checkpoint + ".lock", checkpoint + ".refused.jsonl"}
}
