package action

import "strings"

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
	kindFile
	kindDirectory
	kindDatabase
	kindProcess
	kindSetting
	kindSession
	kindGroup
	kindUser
	kindPrincipal // users that are programs
	kindMember    // a group that something is added to or removed from
	kindPassword  // a credential that is its user's
	kindCredential
	kindAdmin // roles and policies
	kindRight // what is given and taken, rather than created and deleted
	numKinds
)

var kindTable = [numKinds]struct {
	category Category
	subject  subject
	words    string // compounds are joined by "_"
}{
	kindLoose: {category: catConfiguration, words: "connection union portal access email logging template rule feature " +
		"schedule s3 parameter variable notification alert report dashboard connector " +
		"login logon signin authentication link share sharing restriction app application package library extension plugin " +
		"module term agreement location"},
	kindView:   {category: catDatabase, words: "view query queries sql data collection tileset stac layer model map"},
	kindUpload: {category: catFile, words: "upload attachment document image backup"},
	kindAudit:  {category: catAPI, words: "audit"},
	kindFile: {category: catFile, words: "file object storage bucket volume artifact path blob thumbnail script " +
		"asset disk drive workbook spreadsheet solution_notebook"},
	kindDirectory: {category: catFile, words: "directory directories folder dir repo repository repositories"},
	kindDatabase: {category: catDatabase, words: "database catalog table schema dataset raster namespace column " +
		"partition snapshot index indexes iceberg warehouse metastore primary_key partition_key " +
		"db row udf procedure lake lakehouse"},
	kindProcess: {category: catProcess, words: "job run workflow execution task kernel process processes pipeline " +
		"cluster runtime instance notebook workload container command executor driver worker " +
		"pod vm virtual_machine deployment cron dag"},
	kindSetting: {category: catConfiguration, words: "setting config configuration preset override environment " +
		"integration webhook quota limit domain billing plan subscription organization org security marketplace coupon " +
		"region cloud_connection allowlist whitelist denylist blocklist blacklist allow_list deny_list block_list " +
		"access_list firewall network vpc cidr workspace project tenant tag budget invoice payment license trial " +
		"preference flag retention retention_policy retention_policies lifecycle_policy backup_policy network_policy " +
		"security_group resource_group marketplace_customer marketplace_account proxy gateway endpoint " +
		"default_runtime default_cluster default_instance default_catalog default_storage default_bucket default_database " +
		"default_kernel encryption dns subnet vpn peering port branch branding locale timezone channel sink zone device " +
		"trail site page space theme"},
	kindSession: {category: catSession, words: "session user_session login_session"},
	kindGroup:   {category: catIAM, subject: subjectGroup, words: "group team user_group"},
	kindUser: {category: catIAM, subject: subjectUser, words: "user member membership invitation invite owner " +
		"customer me account identity identities guest collaborator profile person people " +
		"impersonation viewer editor contributor maintainer subscriber"},
	kindPrincipal: {category: catIAM, subject: subjectUser, words: "principal service_account service_user " +
		"machine_user bot managed_identity"},
	kindMember:   {category: catIAM, subject: subjectGroup},
	kindPassword: {category: catIAM, subject: subjectUser, words: "password passphrase"},
	kindCredential: {category: catIAM, words: "key apikey token credential secret mfa 2fa totp otp passkey webauthn " +
		"factor sso saml scim oidc oauth idp ldap certificate cert pat access_token access_key identity_provider " +
		"jwt passcode keypair authenticator fido keystore keytab kms federation recovery_code backup_code"},
	kindAdmin: {category: catIAM, subject: subjectAdmin, words: "role policy policies admin administrator grant acl " +
		"rbac abac trust ownership superuser"},
	kindRight: {category: catIAM, subject: subjectAdmin, words: "permission privilege right entitlement consent scope"},
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
	for i := 0; i < w.count; i++ {
		word := w.at(i)
		switch string(word) {
		case "to", "from", "into":
			moved = true
			continue
		}
		if w.isAgent(i) {
			continue
		}
		k := w.kindAt(&i)
		switch {
		case i == verbAt && k <= kindView:
			continue // "query an audit log"
		case k == kindGroup && moved:
			k = kindMember
		case k == kindAdmin && moved:
			k = kindRight // "user removed from a role"
		case string(word) == "access" && (verb == verbGrant || verb == verbTake || verb == verbRevoke):
			if k == kindLoose { // no access_token
				k = kindRight
			}
		}
		if moved {
			target = max(target, k)
		}
		found = max(found, k)
	}
	if found == kindAdmin && (target >= kindUser && target <= kindMember) {
		return kindRight // "role added to a user"
	}
	return found
}

// kindAt is the kind of the word at i, or of that and the next one, which it passes over then.
func (w *words) kindAt(i *int) kind {
	if *i+1 < w.count {
		start, end := 0, w.ends[*i+1]
		if *i > 0 {
			start = int(w.ends[*i-1]) + 1
		}
		if k := lookUpNoun(w.text[start:end]); k != kindOther {
			*i++
			return k
		}
	}
	return lookUpNoun(w.at(*i))
}

// isAgent reports whether a word says who did it: "deleted by an admin".
func (w *words) isAgent(i int) bool {
	for i--; i >= 0; i-- {
		switch string(w.at(i)) {
		case "a", "an", "the":
		case "by":
			return true
		default:
			return false
		}
	}
	return false
}

// lookUpNoun knows plurals too.
func lookUpNoun(word []byte) kind {
	k, ok := nouns[string(word)]
	if n := len(word); !ok && n > 1 && word[n-1] == 's' {
		k = nouns[string(word[:n-1])]
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
}
