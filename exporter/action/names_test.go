package action

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// expectedName is a name that the vendor has not published, with the meaning that a security engineer expects.
type expectedName struct {
	name    string
	meaning []string // ECS event.category and event.type, OCSF activity_id, ECS event.outcome
}

func readNames(t testing.TB) (all []expectedName) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "names.tsv"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "name\t") {
			continue
		}
		columns := strings.Split(strings.TrimSpace(line), "\t")
		require.Len(t, columns, 5, line)
		all = append(all, expectedName{columns[0], columns[1:]})
	}
	require.NotEmpty(t, all)
	return all
}

func TestNames(t *testing.T) {
	for _, e := range readNames(t) {
		a := Classify([]byte(e.name))
		assert.Equal(t, e.meaning, []string{
			CategoryNames[a.Category], strings.Join(a.ECSTypes(), " "), strconv.Itoa(a.OCSFActivity()), OutcomeNames[a.Outcome],
		}, e.name)
	}
}

// TestOutcomes: what was done to a user is no outcome, what happened to a call is.
func TestOutcomes(t *testing.T) {
	for name, want := range map[string]outcome{
		"user_blocked": outcomeUnknown, "block user": outcomeUnknown, "request blocked": outcomeFailure,
		"login blocked": outcomeFailure, "user update blocked": outcomeFailure, "role_assignment_denied": outcomeFailure,
		"job run failed": outcomeFailure, "export completed": outcomeSuccess,
	} {
		assert.Equal(t, want, Classify([]byte(name)).Outcome, name)
	}
}
