package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

const someMaps = `55d0c0a00000-55d0c0a21000 r--p 00000000 fe:01 1234 /opt/fluent-bit/bin/fluent-bit
7f2a10000000-7f2a10021000 rw-p 00000000 00:00 0
7f2a20000000-7f2a20400000 r-xp 00010000 fe:01 99 /opt/my plugins/in_wherobots_audit.so (deleted)
7f2a30000000-7f2a30400000 r-xp 00010000 fe:01 98 /opt/other.so
7ffd1c5e0000-7ffd1c601000 rw-p 00000000 00:00 0 [stack]
`

func TestReplacedFile(t *testing.T) {
	for name, c := range map[string]struct {
		address  uintptr
		file     string
		replaced bool
	}{
		"replaced":              {0x7f2a20000010, "/opt/my plugins/in_wherobots_audit.so", true},
		"as it was":             {0x7f2a30000010, "/opt/other.so", false},
		"behind a mapping":      {0x7f2a20400000, "", false},
		"memory without a file": {0x7f2a10000010, "", false},
	} {
		file, replaced := replacedFile(someMaps, c.address)
		assert.Equal(t, c.file, file, name)
		assert.Equal(t, c.replaced, replaced, name)
	}
}
