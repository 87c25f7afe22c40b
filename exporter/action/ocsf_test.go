package action

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// TestOCSFClassesOfOperations writes down the class and activity of every operation of the vendor's published API, and
// requires them of every spelling.
func TestOCSFClassesOfOperations(t *testing.T) {
	var b strings.Builder
	b.WriteString("# With ocsf_class fine. go generate ./exporter/... writes it anew.\n" +
		"operation\tclass_uid\tactivity_id\t\n")
	for _, o := range operations.Read(t, filepath.Join("testdata", "operations.tsv")) {
		class, activity := OCSFClass([]byte(o.Name))
		fmt.Fprintf(&b, "%s\t%d\t%d\t%s: %s\n", o.Name, Classes[class].UID, activity, Classes[class].Name,
			class.ActivityName(activity))
		for _, name := range o.Spellings(t) {
			inOther, _ := OCSFClass([]byte(name))
			assert.Equal(t, class, inOther, "%s as %q", o.Name, name)
		}
	}
	golden.Equal(t, filepath.Join("testdata", "ocsf_classes.tsv"), []byte(b.String()))
}

func TestOCSFClass(t *testing.T) {
	for name, want := range map[string][2]int{
		"":                          {6003, 0},
		"frobnicated":               {6003, 99},
		"user_login":                {3002, 1},
		"user logged out":           {3002, 2},
		"login_failed":              {3002, 1},
		"user_created":              {3001, 1},
		"invitation_accepted":       {3001, 1},
		"user_suspended":            {3001, 5},
		"UserReactivated":           {3001, 2},
		"user_unlocked":             {3001, 12},
		"user_renamed":              {3001, 99},
		"password_reset":            {3001, 4},
		"password_changed":          {3001, 3},
		"user_deleted":              {3001, 6},
		"list_users":                {3004, 2},
		"role_granted":              {3005, 1},
		"role added to user":        {3005, 1},
		"permission_revoked":        {3005, 2},
		"switchCustomerRole":        {3005, 99},
		"role_deleted":              {3004, 4},
		"group_created":             {3006, 6},
		"group_deleted":             {3006, 5},
		"user_added_to_group":       {3006, 3},
		"user removed from group":   {3006, 4},
		"api_key_created":           {3004, 1},
		"API key revoked":           {3004, 4},
		"service_principal_created": {3004, 1},
		"table_dropped":             {6005, 7},
		"query_executed":            {6005, 4},
		"catalog.listed":            {6005, 1},
		"file_uploaded":             {6006, 1},
		"file_downloaded":           {6006, 2},
		"rename_file":               {6006, 5},
		"file_moved":                {6006, 7},
		"list_directory":            {6006, 14},
		"file_shared":               {6006, 12},
		"job_run_started":           {6003, 99},
		"setting_changed":           {6003, 3},
	} {
		class, activity := OCSFClass([]byte(name))
		assert.Equal(t, want, [2]int{Classes[class].UID, activity}, name)
		if activity != OCSFOther {
			assert.NotEmpty(t, class.ActivityName(activity), name)
		}
	}
}
