//go:build !amd64

package schema

var textVectors = false // tests turn it off where it is on

// putTexts puts entries into room, which must have entryRoom for each of them, from the first one on until
// one has a text that is too long for it, or too near to the end of its memory. It returns how many bytes it
// wrote, how many entries are done and how many of them were written.
func putTexts(room []byte, fields [][]byte, entries []textEntry) (n, done, written int) {
	return putWords(room, fields, entries)
}
