package exporter

import "golang.org/x/sys/cpu" // tells what the processor has; the standard library keeps that to itself

// hasVectors says that the processor can do what the assembly needs; tests turn it off.
var hasVectors = cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ

// markBlocks marks whole blocks of text, from the given one of the strip on.
func markBlocks(s *strip, text []byte, block int) {
	if hasVectors {
		markVectors(s, &text[0], block, block+len(text)/markBytes)
		return
	}
	markWords(s, text, block)
}

// markVectors is markWords for the blocks from block to end, 32 bytes at a time.
//
//go:noescape
func markVectors(s *strip, text *byte, block, end int)
