//go:build !amd64

package exporter

// markBlocks marks whole blocks of text, from the given one of the strip on.
func markBlocks(s *strip, text []byte, block int) { markWords(s, text, block) }
