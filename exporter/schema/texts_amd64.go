package schema

import (
	"golang.org/x/sys/cpu"
)

// tells what the processor has; the standard library keeps that to itself

// textVectors reports whether the processor can do what the assembly needs; tests turn it off.
var textVectors = cpu.X86.HasAVX2

// putTexts puts entries into room, which must have entryRoom for each of them, from the first one on until
// one has a text that is too long for it, or too near to the end of its memory. It returns how many bytes it
// wrote, how many entries are done and how many of them were written.
func putTexts(room []byte, fields [][]byte, entries []textEntry) (n, done, written int) {
	if textVectors {
		return putVectors(&room[0], fields, entries)
	}
	return putWords(room, fields, entries)
}

// putVectors is putWords with 32 bytes in one instruction, which saves a twentieth of what a row costs.
//
//go:noescape
func putVectors(room *byte, fields [][]byte, entries []textEntry) (n, done, written int)
