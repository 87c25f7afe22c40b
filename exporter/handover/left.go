package handover

import (
	"os"
	"path/filepath"
)

// Left returns how many chunk files have something that an output has yet to take, of this plugin's inputs and of
// emitters. Where the storage is not known, which is when nothing was ever found in it, that is 0.
func (f *Facts) Left() (n int) {
	f.mu.Lock()
	root := f.root
	f.mu.Unlock()
	if root == "" {
		return 0
	}
	paths, _ := filepath.Glob(filepath.Join(escapeGlob(root), "*.[0-9]*", "*.flb"))
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			continue // it was taken meanwhile
		}
		length, _, err := header(file)
		_ = file.Close()
		if err == nil && length > 0 && isWatched(filepath.Base(filepath.Dir(path))) {
			n++
		}
	}
	return n
}

// setRoot notes storage.path.
func (f *Facts) setRoot(root string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.root = root
}
