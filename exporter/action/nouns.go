package action

import (
	"bytes"
	"strings"
)

// The nouns of the names of actions, in the singular. A word that is missing here costs a precise category,
// never an event.

// kind is what an action was done to. Where a name has several nouns, the highest kind counts.
type kind uint8

const (
	kindOther  kind = iota // what no noun tells
	kindLoose              // settings, of words that any other noun outdoes
	kindView               // of a database, or what is queried there
	kindUpload             // files by other names
	kindAudit              // the audit log itself: read through the API, changed by settings
	kindPlace              // what holds everything else, such as the organization
	kindFile
	kindDirectory
	kindDatabase
	kindProcess
	kindSetting
	kindList   // of what is allowed and denied
	kindListed // a list that something is added to or removed from
	kindSession
	kindGroup
	kindUser
	kindPrincipal // users that are programs
	kindMember    // a group that something is added to or removed from
	kindPassword  // a credential that is its user's
	kindCredential
	kindAdmin // roles and policies
	kindRight // what is given and taken, rather than created and deleted
	kindLimit // of anything, users and sessions as well
	numKinds
)

var kindTable = [numKinds]struct {
	category Category
	subject  subject
	words    string // compounds are joined by "_"
}{
	kindLoose: {category: catConfiguration, words: "connection conn union portal access email logging template rule " +
		"feature schedule s3 parameter param variable notification alert alarm incident report dashboard chart widget " +
		"connector login logon signin authentication auth link share sharing restriction app application package " +
		"library libraries extension plugin module term agreement location ip ip_address ip_range banner logo release " +
		"version option createlink cache comment note ticket message monitor monitoring telemetry addon service"},
	kindView: {category: catDatabase, words: "view query queries sql data collection tileset tile stac layer model " +
		"map statement geometry geometries record"},
	kindUpload: {category: catFile, words: "upload attachment document doc image photo picture video media backup " +
		"trash recycle_bin content contents"},
	kindAudit: {category: catAPI, words: "audit audit_log audit_trail activity_log security_log event_log"},
	kindPlace: {category: catConfiguration, words: "organization organisation org workspace project tenant space site " +
		"environment env region"},
	kindFile: {category: catFile, words: "file object storage bucket volume artifact artefact path blob thumbnail " +
		"script asset disk drive workbook spreadsheet solution_notebook filesystem file_system csv geojson shapefile " +
		"geotiff geoparquet parquet pdf zip jar symlink presigned_url signed_url upload_url download_url " +
		"storage_account blob_container file_share pull_request external_location recording log_file"},
	kindDirectory: {category: catFile, words: "directory directories folder dir subfolder subdirectory subdirectories " +
		"repo repository repositories"},
	kindDatabase: {category: catDatabase, words: "database catalog catalogue table schema schemata dataset raster " +
		"namespace column partition snapshot index indexes indices iceberg warehouse metastore primary_key " +
		"partition_key foreign_key sort_key unique_key clustering_key materialized_view data_source datasource " +
		"datastore data_store data_product data_share datashare feature_class feature_layer feature_table metadata " +
		"db tbl row udf procedure function lake lakehouse imagery mosaic basemap geofence geodatabase lineage shard " +
		"replica tablespace keyspace constraint vector_index elevation_model search_index point_cloud"},
	kindProcess: {category: catProcess, words: "job run workflow execution task kernel process processes pipeline " +
		"cluster runtime instance notebook workload container command executor driver worker server node machine " +
		"pod vm virtual_machine deployment cron dag daemon compute gpu rasterflow jupyter jupyterlab flow " +
		"inference training experiment sandbox spark_application node_pool instance_pool compute_environment " +
		"sql_warehouse virtual_warehouse load_test ingestion_job lab scheduler autoscaler agent lambda pool nb svc"},
	kindSetting: {category: catConfiguration, words: "setting config configuration cfg conf preset override " +
		"integration webhook hook domain billing plan tier subscription security marketplace coupon voucher promo " +
		"promo_code credit_card payment_method " +
		"cloud_connection firewall network vpc vnet cidr tag label budget invoice payment license licence trial " +
		"preference flag feature_flag retention retention_policy retention_policies lifecycle_policy backup_policy " +
		"network_policy network_policies network_acl privacy_policy " +
		"security_group resource_group marketplace_customer marketplace_account billing_account cloud_account " +
		"aws_account proxy gateway endpoint " +
		"default_runtime default_cluster default_instance default_catalog default_storage default_bucket default_database " +
		"default_kernel default_notebook default_schema default_warehouse default_timezone " +
		"encryption dns dns_record subnet vpn peering port branch branding locale timezone channel sink " +
		"zone device trail page theme forwarding forwarder log_stream log_streaming log_drain syslog siem destination " +
		"redirect_uri callback_url callback cors origin private_link privatelink load_balancer egress ingress route " +
		"route_table maintenance_window maintenance_mode residency data_residency topic queue event_bus stack terraform " +
		"contract seat tunnel nat vlan hostname host bastion contact address session_setting session_config " +
		"connection_profile compute_profile rate_card spark_config"},
	kindList: {category: catConfiguration, words: "allowlist whitelist denylist blocklist blacklist allow_list " +
		"white_list deny_list block_list black_list access_list ip_list safelist safe_list exception_list suppression_list"},
	kindListed:  {category: catConfiguration},
	kindSession: {category: catSession, words: "session user_session login_session terminal web_terminal shell"},
	kindGroup: {category: catIAM, subject: subjectGroup, words: "group team user_group grp department cohort squad " +
		"organizational_unit org_unit mailing_list distribution_list"},
	kindUser: {category: catIAM, subject: subjectUser, words: "user usr member membership invitation invite invited " +
		"invitee owner customer me account acct identity identities guest collaborator profile person people employee " +
		"staff contractor teammate participant attendee assignee applicant recipient partner impersonation viewer editor " +
		"contributor maintainer subscriber username display_name email_address avatar"},
	kindPrincipal: {category: catIAM, subject: subjectUser, words: "principal service_account svc_account service_acct " +
		"service_user system_user machine_user machine_account robot_account bot robot managed_identity " +
		"workload_identity service_identity service_identities oauth_client api_client sp"},
	kindMember: {category: catIAM, subject: subjectGroup, words: "group_member group_membership team_member " +
		"team_membership"},
	kindPassword: {category: catIAM, subject: subjectUser, words: "password passphrase passwd pwd"},
	kindCredential: {category: catIAM, words: "key apikey token credential cred secret mfa 2fa totp otp passkey " +
		"webauthn factor sso saml scim oidc openid oauth idp ldap certificate cert pat access_token access_key " +
		"refresh_token " +
		"identity_provider jwt passcode keypair authenticator fido keystore keytab kms federation recovery_code " +
		"backup_code verification_code two_factor multi_factor multifactor twofactor x509 ssh gpg pgp tls ssl mtls vault " +
		"key_vault keyvault truststore yubikey security_key smartcard biometric cookie bearer hmac sas directory_sync " +
		"active_directory entra okta"},
	kindAdmin: {category: catIAM, subject: subjectAdmin, words: "role policy policies admin administrator grant acl " +
		"rbac abac trust ownership superuser superadmin sysadmin iam sudo access_control access_request access_review " +
		"access_level role_binding rolebinding permission_set"},
	kindRight: {category: catIAM, subject: subjectAdmin, words: "permission perm privilege priv right entitlement " +
		"consent scope role_assignment role_membership role_member"},
	kindLimit: {category: catConfiguration, words: "limit quota timeout ttl lifetime duration threshold cap " +
		"concurrency rate_limit"},
}

// nouns are kindTable by word.
var nouns = func() map[string]kind {
	table := make(map[string]kind)
	for k, row := range kindTable {
		for _, word := range strings.Fields(row.words) {
			table[word] = kind(k)
		}
	}
	return table
}()

// noun finds what verb was done to: the noun of the highest kind. verbAt is the verb's word, which is no noun at
// the same time.
func (w *words) noun(verb Verb, verbAt int) kind {
	found, moved, target := kindOther, false, kindOther
	elsewhere := false // behind a word of place
	for i := 0; i < w.count; i++ {
		word := w.at(i)
		switch string(word) {
		case "to", "from", "into":
			moved, elsewhere = true, true
			continue
		case "in", "on", "within", "under":
			elsewhere = true
			continue
		}
		if i > 0 && isOtherParty(word) {
			break
		}
		k := w.kindAt(&i)
		switch {
		case i == verbAt && k <= kindView:
			continue // "query an audit log"
		case k == kindGroup && moved:
			k = kindMember
		case k == kindList && moved:
			k = kindListed
		case k == kindAdmin && moved:
			k = kindRight // "user removed from a role"
		case k == kindLoose && w.isRight(i, verb): // no access_token
			k = kindRight
		}
		if moved {
			target = max(target, k)
		}
		if elsewhere && found > kindLoose && !k.takesPart() {
			continue // "file uploaded to a workspace"
		}
		found = max(found, k)
	}
	if found == kindAdmin && (target >= kindUser && target <= kindMember) {
		return kindRight // "role added to a user"
	}
	return found
}

// takesPart reports whether what is added to or removed from it changes it, rather than only being there.
func (k kind) takesPart() bool {
	return k == kindMember || k == kindListed || k == kindRight || k == kindAdmin
}

// isRight reports whether the word at i is access that is given or taken. What is added or removed is that if no other
// thing follows: no "access rule".
func (w *words) isRight(i int, verb Verb) bool {
	if string(w.at(i)) != "access" {
		return false
	}
	switch verb {
	case verbGrant, verbTake, verbRevoke:
		return true
	case verbCreate, verbDelete:
		return i+1 == w.count || lookUpNoun(w.at(i+1)) == kindOther
	}
	return false
}

// isOtherParty reports whether what follows a word is who did it, or somebody or something else that it was done with,
// but not what it was done to: "deleted by an admin", "shared with a user".
func isOtherParty(word []byte) bool {
	switch string(word) {
	case "by", "with", "via", "using":
		return true
	}
	return false
}

// kindAt is the kind of the word at i, or of that and the next one, which it passes over then.
func (w *words) kindAt(i *int) kind {
	if *i+1 < w.count {
		if k := lookUpNoun(w.pair(*i)); k != kindOther {
			*i++
			return k
		}
	}
	return lookUpNoun(w.at(*i))
}

// lookUpNoun knows plurals, and two nouns that are written as one: "jobruns".
func lookUpNoun(word []byte) kind {
	k, ok := nouns[string(word)]
	if n := len(word); !ok && n > 1 && word[n-1] == 's' {
		k, ok = nouns[string(word[:n-1])]
	}
	for i := 3; !ok && i+3 <= len(word); i++ {
		if first, known := nouns[string(word[:i])]; known {
			second, plural := nouns[string(word[i:])], nouns[string(bytes.TrimSuffix(word[i:], []byte("s")))]
			if second = max(second, plural); second != kindOther {
				k, ok = max(first, second), true
			}
		}
	}
	return k
}

// knownActions are names, in small letters with "_", whose words alone would mislead.
var knownActions = map[string]meaning{
	"accept_invitation":   {verbCreate, kindUser},
	"invitation_accepted": {verbCreate, kindUser},
	"leave_organization":  {verbDelete, kindUser},
	"organization_left":   {verbDelete, kindUser},
	"switch_organization": {verbStart, kindSession},
	"forgot_password":     {verbUpdate, kindPassword},
	"run_query":           {verbRead, kindView},
	"run_sql":             {verbRead, kindView},
}
