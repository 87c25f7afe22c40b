package event

import (
	"encoding/binary"
)

// IsASCII looks at 32 bytes in one step.
func IsASCII(s []byte) bool {
	var all uint64
	for ; len(s) >= 32; s = s[32:] {
		all |= binary.LittleEndian.Uint64(s) | binary.LittleEndian.Uint64(s[8:]) |
			binary.LittleEndian.Uint64(s[16:]) | binary.LittleEndian.Uint64(s[24:])
	}
	for _, c := range s {
		all |= uint64(c)
	}
	return all&0x8080808080808080 == 0
}
