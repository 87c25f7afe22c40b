package packaging

import (
	"debug/elf"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// highestGlibc is what the shared object may ask of the C library: one symbol too new, and Fluent Bit cannot load it
// on Debian 12, Ubuntu 22.04 or RHEL 9. nfpm.yaml and docs/install.md name it too.
const highestGlibc = "2.34"

func TestGlibc(t *testing.T) {
	text, err := makeTarget("build")
	require.NoError(t, err, "%s", text)
	object, err := elf.Open("../build/in_wherobots_audit.so")
	require.NoError(t, err)
	defer object.Close()
	needed, err := object.DynamicVersionNeeds()
	require.NoError(t, err)
	highest := "0"
	for _, library := range needed {
		for _, version := range library.Needs {
			if number, found := strings.CutPrefix(version.Dep, "GLIBC_"); found && newer(number, highest) {
				highest = number
			}
		}
	}
	assert.Equal(t, highestGlibc, highest)

	for path, pattern := range map[string]string{
		"nfpm.yaml": `glibc >= ([\d.]+)`, "../docs/install.md": `glibc ([\d.]+) or later`,
	} {
		document, err := os.ReadFile(path)
		require.NoError(t, err)
		found := regexp.MustCompile(pattern).FindSubmatch(document)
		require.NotNil(t, found, path)
		assert.Equal(t, highestGlibc, string(found[1]), path)
	}
}

// newer reports whether version a is above b: 2.34 is newer than 2.4.
func newer(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for at := range min(len(x), len(y)) {
		p, _ := strconv.Atoi(x[at])
		q, _ := strconv.Atoi(y[at])
		if p != q {
			return p > q
		}
	}
	return len(x) > len(y)
}

func TestNewer(t *testing.T) {
	assert.True(t, newer("2.34", "2.4"))
	assert.True(t, newer("2.2.5", "2.2"))
	assert.False(t, newer("2.34", "2.34"))
	assert.False(t, newer("2.9", "2.34"))
}
