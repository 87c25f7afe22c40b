package main

import (
	"os"
	"strconv"
	"strings"
)

// deleted is what the kernel adds to the path of a mapped file that was replaced or removed since (proc(5)).
const deleted = " (deleted)"

// replacedFile returns the file that the code at address was loaded from, by a process's /proc/self/maps, and whether
// that file is another one now. A file that was overwritten in place cannot be told.
func replacedFile(maps string, address uintptr) (file string, replaced bool) {
	for line := range strings.Lines(maps) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), "/", 2)
		from, until, ok := strings.Cut(strings.SplitN(line, " ", 2)[0], "-")
		if !ok || len(fields) != 2 {
			continue
		}
		first, err := strconv.ParseUint(from, 16, 64)
		if err != nil || uint64(address) < first {
			continue
		}
		if last, err := strconv.ParseUint(until, 16, 64); err == nil && uint64(address) < last {
			return strings.CutSuffix("/"+fields[1], deleted)
		}
	}
	return "", false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
