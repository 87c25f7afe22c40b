package action

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		names    string // of one meaning, apart by "|"
		category string
		types    string
		outcome  string
		activity int
	}{
		// What the vendor says is audited.
		{
			"api_key_created|CREATE_API_KEY|ApiKeyCreated|API Key Created|api-key.create|apiKey:create",
			"iam", "creation", "unknown", ocsfCreate,
		},
		{"api_key_revoked|revoke API keys", "iam", "deletion", "unknown", ocsfDelete},
		{"ingest_credential_deleted|DeleteIngestCredentials", "iam", "deletion", "unknown", ocsfDelete},
		{"file_uploaded|upload_file|directory_created", "file", "creation", "unknown", ocsfCreate},
		{"file_renamed|rename_directory", "file", "change", "unknown", ocsfUpdate},
		{"job_run_created|create_job_run", "process", "start", "unknown", ocsfCreate},
		{"job_run_cancelled|JobRunCanceled|cancel_job_run", "process", "end", "unknown", OCSFOther},
		{"job_run_logs_viewed|view_job_run_logs|GetJobRunLogs", "process", "access", "unknown", ocsfRead},
		{"notebook_created", "process", "start", "unknown", ocsfCreate},
		{"notebook_deleted|deleteNotebook", "process", "end", "unknown", ocsfDelete},
		{"user_role_changed|update_user_role|admin_role_granted", "iam", "admin change", "unknown", ocsfUpdate},
		{"environment_settings_updated|security_configuration_modified", "configuration", "change", "unknown", ocsfUpdate},
		{"catalog_table_dropped", "database", "change", "unknown", ocsfDelete},
		{"runtime_preset_created|create_runtime_override", "configuration", "creation", "unknown", ocsfCreate},
		// What auditors look for.
		{
			"service_principal_created|user_invited|invite_user|invitation_accepted", "iam",
			"user creation", "unknown", ocsfCreate,
		},
		{"team_deleted|remove_group", "iam", "group deletion", "unknown", ocsfDelete},
		{"user_login|login|sign_in|userSignedIn|LOG IN", "authentication", "start", "unknown", OCSFOther},
		{"logout|user_signed_out|LogOut", "authentication", "end", "unknown", OCSFOther},
		{"login_failed|failed-login", "authentication", "start", "failure", OCSFOther},
		{"login_succeeded", "authentication", "start", "success", OCSFOther},
		{"access_denied", "api", "access denied", "failure", ocsfRead},
		{"permission_denied", "api", "denied", "failure", OCSFOther},
		{"audit_log_exported|export_audit_log", "api", "access", "unknown", ocsfRead},
		{"sql_session_started|create_session", "session", "start", "unknown", -1},
		// What nobody knows.
		{"frobnicate|*|12|_|", "api", "info", "unknown", OCSFOther},
	} {
		for name := range strings.SplitSeq(test.names, "|") {
			a := Classify([]byte(name))
			require.Equal(t, test.category, CategoryNames[a.Category], "category of %q", name)
			require.Equal(t, test.types, strings.Join(a.ECSTypes(), " "), "types of %q", name)
			require.Equal(t, test.outcome, OutcomeNames[a.Outcome], "outcome of %q", name)
			if test.activity >= 0 {
				require.Equal(t, test.activity, a.OCSFActivity(), "activity of %q", name)
			}
		}
	}
}

// TestEveryTypeIsExpected: whatever a name means, ECS expects the types in the category.
func TestEveryTypeIsExpected(t *testing.T) {
	var facts struct {
		Allowed       map[string][]string `json:"allowed"`
		ExpectedTypes map[string][]string `json:"expected_types"`
	}
	content, err := os.ReadFile(filepath.Join("..", "schema", "testdata", "ecs_facts.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &facts))
	for c := range numCategories {
		for v := range numVerbs {
			for k := range numKinds {
				for _, denied := range []bool{false, true} {
					for _, kind := range (Action{Verb: v, Category: c, kind: k, denied: denied}).ECSTypes() {
						require.Contains(t, facts.ExpectedTypes[CategoryNames[c]], kind, "category %s", CategoryNames[c])
						require.Contains(t, facts.Allowed["event.type"], kind)
					}
				}
			}
		}
	}
}

func TestKnownActionsAreSpelledAsLookedUp(t *testing.T) {
	for name := range knownActions {
		var w words
		w.split([]byte(name))
		require.Equal(t, name, string(w.joined()))
	}
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"HTTPServerStarted": "http_server_started",
		"s3Bucket":          "s3_bucket",
		"a..b--c":           "a_b_c",
		"user signed in":    "user_signedin",
		"sign":              "sign",
		"größeGeändert":     "größe_geändert",
		"a b c d e f g h i j k l m n o p q r s t": "a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p",
		strings.Repeat("x", 300):                  strings.Repeat("x", maxNameText),
	} {
		var w words
		w.split([]byte(name))
		require.Equal(t, want, string(w.joined()))
	}
}

// TestClassifyTakesAnything: any bytes mean something, and cost no allocation.
func TestClassifyTakesAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SliceOf(rapid.Byte()).Draw(rt, "name")
		require.NotEmpty(t, Classify(name).ECSTypes())
	})
	name := []byte("User.signed_in AND manyMORE-words " +
		"of_a_long/name/that_goes_on_and_on_for_ever_and_ever_and_longer_than_anyone_would_look_at_it_at_all")
	require.Zero(t, testing.AllocsPerRun(100, func() { Classify(name) }))
}
