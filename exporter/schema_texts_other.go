//go:build !amd64

package exporter

// putTexts puts entries into room, which must have entryRoom for each of them, from the first one on until one has a text that is too long for it,
// or too near to the end of its memory. It returns how many bytes it wrote and how many entries are done.
func putTexts(room []byte, fields [][]byte, entries []textEntry) (n, done int) {
	return putWords(room, fields, entries)
}
