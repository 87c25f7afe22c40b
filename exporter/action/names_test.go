package action

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// names are some that the vendor has not published, but might write, with the meaning that a security engineer
// expects: ECS event.category and event.type, OCSF activity_id.
const names = `
API key revoked | iam deletion 4
revocation of an API key by an administrator | iam deletion 4
api-key.rotated | iam change 3
APIKeyExpired | iam change 3
apikey_created | iam creation 1
user api key created | iam creation 1
service_principal.token.revoked | iam deletion 4
credentials rotated | iam change 3
ingestCredentialsRevoked | iam deletion 4
exchangeAccessToken | iam change 3
access token exchanged | iam change 3
token_refreshed | iam change 3
oauth.token.issued | iam creation 1
secrets accessed | iam info 2
password_changed | iam user change 3
user.password.reset | iam user change 3
MFA turned off | iam change 3
mfa disabled | iam change 3
enrollment of an MFA factor | iam creation 1
sso_config_updated | iam change 3
SAML certificate replaced | iam change 3
identity provider deleted | iam deletion 4
notebook.deleted | process end 4
notebook_stopped | process end 99
solution notebook deleted | file deletion 4
workload_destroyed | process end 4
destruction of a workload | process end 4
raster job cancelled | process end 99
JobRunSubmitted | process start 1
job_run_failed | process end 99
kernel.restarted | process start 99
runtime launched | process start 99
switchCustomerRole | iam admin change 3
role switched | iam admin change 3
switching of a role | iam admin change 3
role_revoked | iam admin change 3
user_role_unassigned | iam admin change 3
permission granted to group | iam admin change 3
access_granted | iam admin change 3
user access revoked | iam admin change 3
admin privileges removed | iam admin change 3
permission_added | iam admin change 3
role added to user | iam admin change 3
user removed from admin role | iam admin change 3
role.deleted | iam admin deletion 4
impersonation ended | iam user change 3
user left organization | iam user deletion 4
login method changed | configuration change 3
ownership transferred | iam admin change 3
verify access | configuration info 99
deleteCustomer | iam user deletion 4
member removed from organization | iam user deletion 4
user added to group | iam group change 3
remove_member_from_team | iam group change 3
team deleted | iam group deletion 4
user.suspended | iam user change 3
user_blocked | iam user change 3
account locked | iam user change 3
user deleted by admin | iam user deletion 4
invitation cancelled | iam user deletion 4
user unenrolled | iam user deletion 4
user_impersonated | authentication start 99
user_session_terminated | session end 99
update login | configuration change 3
session.expired | session end 99
ip allowlist updated | configuration change 3
audit logging disabled | configuration change 3
audit_log_deleted | configuration deletion 4
audit log searched | api access 2
webhook.destroyed | configuration deletion 4
retention policy changed | configuration change 3
setting of a default region | configuration change 3
environment_settings_viewed | configuration access 2
trial started | configuration change 3
organization left | iam user deletion 4
cloud connection unlinked | configuration change 3
catalog table dropped | database change 4
table.truncated | database change 3
view_dropped | database change 4
SqlQueryExecuted | database access 2
query executed | database access 2
TABLE_ROWS_EXPORTED | database access 2
dataset_shared | database change 3
namespace renamed | database change 3
files uploaded | file creation 1
file-moved | file change 3
bucket objects purged | file deletion 4
file deleted by user | file deletion 4
upload of an image | file creation 1
directory.listed | file access 2
file import started | file change 3
createGrant | iam admin creation 1
trigger.delete | api deletion 4
volumeAttached | file change 3
UNDROP TABLE | database change 3
repo.destroy | file deletion 4
AssumeRole | authentication start 99
UpdateAssumeRolePolicy | iam admin change 3
DeleteTrail | configuration deletion 4
Consent to application | iam admin change 3
consent_withdrawn | iam admin change 3
Set domain authentication | configuration change 3
user.authentication.sso | authentication start 99
app_scopes_expanded | iam admin change 3
BindRoleForPrincipal | iam admin change 3
UnbindRoleForPrincipal | iam admin change 3
ClusterRoleBindingCreated | iam admin creation 1
User frozen | iam user change 3
branch removed | configuration deletion 4
zone.update | configuration change 3
resync_table | database change 3
snapshot taken | database change 3
secret revealed | iam info 2
createServiceAccount | iam user creation 1
node evicted from cluster | process end 4
tag pinned | configuration change 3
`

func TestNames(t *testing.T) {
	for row := range strings.SplitSeq(strings.TrimSpace(names), "\n") {
		name, want, _ := strings.Cut(row, " | ")
		a := Classify([]byte(name))
		got := CategoryNames[a.Category] + " " + strings.Join(a.ECSTypes(), " ") + " " + strconv.Itoa(a.OCSFActivity())
		assert.Equal(t, want, got, name)
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
