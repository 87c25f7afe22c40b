package action

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

func readOperations(t testing.TB) []operations.Operation {
	return operations.Read(t, filepath.Join("testdata", "operations.tsv"))
}

// TestOperations holds every operation of the vendor, in every spelling, against the meaning that a security
// engineer expects.
func TestOperations(t *testing.T) {
	for _, o := range readOperations(t) {
		if !o.OnlyLooks() {
			assert.NotEqual(t, "api", o.Category, o.Name)
			assert.NotContains(t, o.Types, "info", o.Name)
		}
		for _, name := range o.Spellings(t) {
			a := Classify([]byte(name))
			got := []string{CategoryNames[a.Category], strings.Join(a.ECSTypes(), " "), strconv.Itoa(a.OCSFActivity())}
			assert.Equal(t, []string{o.Category, o.Types, o.Activity}, got, "%s as %q", o.Name, name)
		}
	}
}
