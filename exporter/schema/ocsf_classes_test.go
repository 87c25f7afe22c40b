package schema

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// fineCases are the usual ones and every operation of the vendor, with every column, without a resource, and in a
// response of few columns.
func fineCases(t testing.TB) []schemaCase {
	cases := slices.Clone(schemaCases)
	names := []string{"logged_out", "user_added_to_group", "user_removed_from_group", "group_deleted", "key_rotated"}
	for _, o := range operations.Read(t, filepath.Join("..", "action", "testdata", "operations.tsv")) {
		names = append(names, o.Name)
	}
	for _, name := range names {
		full := slices.Clone(schemaCases[0].fields)
		full[2] = name
		bare := slices.Clone(full)
		for _, column := range []int{3, 4, 6, 7} {
			bare[column] = ""
		}
		without := slices.Clone(bare)
		without[8] = ""
		cases = append(cases,
			schemaCase{name: name, fields: full},
			schemaCase{name: name + " without a name", fields: bare},
			schemaCase{name: name + " without a resource", fields: without},
			schemaCase{
				name: name + " in few columns", header: []string{"event_id", "event_time", "action_name"},
				fields: []string{"7", "2026-03-04T05:06:07Z", name},
			})
	}
	return cases
}

// TestOCSFClasses: every class is there, and says what it is about.
func TestOCSFClasses(t *testing.T) {
	reached := map[int64]bool{}
	for _, c := range fineCases(t) {
		if uid, ok := c.record(t, OCSFFine)["class_uid"].(int64); ok {
			reached[uid] = true
		}
	}
	for _, class := range action.Classes {
		assert.True(t, reached[int64(class.UID)], "%d %s", class.UID, class.Name)
	}
	of := func(name string) map[string]any {
		fields := slices.Clone(schemaCases[0].fields)
		fields[2] = name
		return schemaCase{fields: fields}.record(t, OCSFFine)
	}
	target := map[string]any{"name": "ci-key", "uid": "key-1"}
	assert.Equal(t, target, of("createApiKey")["entity"])
	assert.Equal(t, target, of("user_deleted")["user"])
	assert.Equal(t, target, of("group_created")["group"])
	assert.Equal(t, "ci-key", of("table_deleted")["database"].(map[string]any)["name"])
	assert.Equal(t, "ci-key", of("file_downloaded")["file"].(map[string]any)["name"])
	assert.Equal(t, []any{"ci-key"}, of("role_granted")["privileges"])
	assert.Equal(t, "u-17", of("user_login")["user"].(map[string]any)["uid"])
	assert.Equal(t, "key-1", of("user_login")["unmapped"].(map[string]any)["resource_id"])
	assert.Equal(t, of("job_run_started"), schemaCase{fields: func() []string {
		fields := slices.Clone(schemaCases[0].fields)
		fields[2] = "job_run_started"
		return fields
	}()}.record(t, OCSF), "API Activity is the same in both")
}

// TestOCSFActivitiesArePublished: the captions are those of the published classes.
func TestOCSFActivitiesArePublished(t *testing.T) {
	facts := readOCSFFacts(t)
	for _, class := range action.Classes {
		var activities map[string]string
		for _, of := range facts.Classes {
			if of.UID == class.UID {
				require.Equal(t, class.Name, of.Attributes["class_uid"].Enum[number(int64(class.UID))])
				activities = of.Attributes["activity_id"].Enum
			}
		}
		require.NotEmpty(t, activities, class.Name)
		for id, caption := range class.Activities {
			assert.Equal(t, caption, activities[number(int64(id))], class.Name)
		}
	}
}
