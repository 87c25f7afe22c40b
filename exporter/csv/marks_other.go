//go:build !amd64

package csv

var hasVectors = false // tests turn it off where it is on

// markBlocks marks whole blocks of text, from the given one of the strip on.
func markBlocks(s *strip, text []byte, block int) { markWords(s, text, block) }
