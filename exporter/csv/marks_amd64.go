package csv

import (
	"golang.org/x/sys/cpu"
)

// tells what the processor has; the standard library keeps that to itself

// hasVectors says that the processor can do what the assembly needs; tests turn it off.
var hasVectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPCLMULQDQ && cpu.X86.HasPOPCNT

// markBlocks marks whole blocks of text, from the given one of the strip on.
func markBlocks(s *strip, text []byte, block int) {
	if hasVectors {
		markVectors(s, text, block)
		return
	}
	markWords(s, text, block)
}

// markVectors is markWords, 32 bytes at a time; there must be some.
//
//go:noescape
func markVectors(s *strip, text []byte, block int)
