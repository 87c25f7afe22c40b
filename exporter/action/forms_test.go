package action

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// trickyForms are stem, third person, past forms and gerund, as a dictionary has them: every stem that does not
// just take s, ed and ing.
const trickyForms = `
advise advises advised advising | allocate allocates allocated allocating | ban bans banned banning
activate activates activated activating
empty empties emptied emptying | apply applies applied applying | approve approves approved approving
archive archives archived archiving | authenticate authenticates authenticated authenticating
authorize authorizes authorized authorizing | begin begins began/begun beginning
bootstrap bootstraps bootstrapped bootstrapping | browse browses browsed browsing
cancel cancels canceled/cancelled canceling/cancelling | change changes changed changing | clone clones cloned cloning
close closes closed closing | commit commits committed committing | complete completes completed completing
configure configures configured configuring | copy copies copied copying | create creates created creating
crash crashes crashed crashing | customize customizes customized customizing
deactivate deactivates deactivated deactivating | deauthorize deauthorizes deauthorized deauthorizing
decrease decreases decreased decreasing | delegate delegates delegated delegating | delete deletes deleted deleting
demote demotes demoted demoting | describe describes described describing | destroy destroys destroyed destroying
deploy deploys deployed deploying | disable disables disabled disabling | drop drops dropped dropping
duplicate duplicates duplicated duplicating | elevate elevates elevated elevating | enable enables enabled enabling
enforce enforces enforced enforcing | ensure ensures ensured ensuring | entitle entitles entitled entitling
erase erases erased erasing | escalate escalates escalated escalating | establish establishes established establishing
exchange exchanges exchanged exchanging | execute executes executed executing | expire expires expired expiring
expose exposes exposed exposing | expunge expunges expunged expunging | fetch fetches fetched fetching
finish finishes finished finishing | generate generates generated generating | get gets got/gotten getting
hibernate hibernates hibernated hibernating | hide hides hid/hidden hiding
impersonate impersonates impersonated impersonating | increase increases increased increasing
initiate initiates initiated initiating | invalidate invalidates invalidated invalidating
invite invites invited inviting | invoke invokes invoked invoking | issue issues issued issuing
leave leaves left leaving | label labels labeled/labelled labeling/labelling | launch launches launched launching
log-in logsin loggedin loggingin | log-on logson loggedon loggingon | log-out logsout loggedout loggingout
log-off logsoff loggedoff loggingoff | map maps mapped mapping | merge merges merged merging
migrate migrates migrated migrating | modify modifies modified modifying | move moves moved moving
optimize optimizes optimized optimizing | overwrite overwrites overwrote/overwritten overwriting
override overrides overrode/overridden overriding | patch patches patched patching | pause pauses paused pausing
permit permits permitted permitting | probe probes probed probing | promote promotes promoted promoting
provision provisions provisioned provisioning | prune prunes pruned pruning | publish publishes published publishing
purge purges purged purging | put puts put putting | query queries queried querying | raise raises raised raising
reactivate reactivates reactivated reactivating | read reads read reading
reauthenticate reauthenticates reauthenticated reauthenticating | rebuild rebuilds rebuilt rebuilding
reconfigure reconfigures reconfigured reconfiguring | refresh refreshes refreshed refreshing
regenerate regenerates regenerated regenerating | remove removes removed removing | rename renames renamed renaming
replace replaces replaced replacing | rerun reruns reran/rerun rerunning | reset resets reset resetting
resize resizes resized resizing | restore restores restored restoring | resume resumes resumed resuming
retrieve retrieves retrieved retrieving | revoke revokes revoked revoking | roll-back rollsback rolledback rollingback
rotate rotates rotated rotating | run runs ran/run running | save saves saved saving | scale scales scaled scaling
scan scans scanned scanning | schedule schedules scheduled scheduling | search searches searched searching
send sends sent sending | set sets set setting | share shares shared sharing | show shows showed/shown showing
shut-down shutsdown shutdown shuttingdown | sign-in signsin signedin signingin | sign-on signson signedon signingon
sign-out signsout signedout signingout | sign-off signsoff signedoff signingoff | sign-up signsup signedup signingup
stop stops stopped stopping | submit submits submitted submitting | subscribe subscribes subscribed subscribing
swap swaps swapped swapping | switch switches switched switching | sync syncs synced syncing
terminate terminates terminated terminating | toggle toggles toggled toggling | trash trashes trashed trashing
transfer transfers transferred transferring | truncate truncates truncated truncating
unarchive unarchives unarchived unarchiving | unban unbans unbanned unbanning | undelete undeletes undeleted undeleting
undeploy undeploys undeployed undeploying | unpublish unpublishes unpublished unpublishing
unshare unshares unshared unsharing | unsubscribe unsubscribes unsubscribed unsubscribing
update updates updated updating | upgrade upgrades upgraded upgrading | downgrade downgrades downgraded downgrading
use uses used using | validate validates validated validating | verify verifies verified verifying
wipe wipes wiped wiping | write writes wrote/written writing | deny denies denied denying | tag tags tagged tagging
turn-on turnson turnedon turningon | turn-off turnsoff turnedoff turningoff
agree agrees agreed agreeing | attach attaches attached attaching | detach detaches detached detaching
reindex reindexes reindexed reindexing | reinstate reinstates reinstated reinstating
relaunch relaunches relaunched relaunching | annex annexes annexed annexing
fix fixes fixed fixing | log logs logged logging
access accesses accessed accessing
acknowledge acknowledges acknowledged acknowledging | anonymize anonymizes anonymized anonymizing
annotate annotates annotated annotating | assume assumes assumed assuming | bind binds bound binding
bypass bypasses bypassed bypassing | categorize categorizes categorized categorizing
deprecate deprecates deprecated deprecating | designate designates designated designating
dismantle dismantles dismantled dismantling | dismiss dismisses dismissed dismissing
dispatch dispatches dispatched dispatching | enqueue enqueues enqueued enqueuing
enumerate enumerates enumerated enumerating | explore explores explored exploring | find finds found finding
freeze freezes froze/frozen freezing | introduce introduces introduced introducing
isolate isolates isolated isolating | mute mutes muted muting | nominate nominates nominated nominating
obliterate obliterates obliterated obliterating | pin pins pinned pinning
quarantine quarantines quarantined quarantining | quit quits quit quitting | reissue reissues reissued reissuing
relax relaxes relaxed relaxing | relabel relabels relabeled/relabelled relabeling/relabelling
relocate relocates relocated relocating
requeue requeues requeued requeuing | resolve resolves resolved resolving | retire retires retired retiring
retry retries retried retrying | snooze snoozes snoozed snoozing | strip strips stripped stripping
take takes took/taken taking
unbind unbinds unbound unbinding | undrop undrops undropped undropping
unfreeze unfreezes unfroze/unfrozen unfreezing | unmap unmaps unmapped unmapping | unmute unmutes unmuted unmuting
unpause unpauses unpaused unpausing | unpin unpins unpinned unpinning | unset unsets unset unsetting
untag untags untagged untagging | waive waives waived waiving | withdraw withdraws withdrew/withdrawn withdrawing`

// plainStems just take s, ed and ing.
var plainStems = fieldSet(`abort accept add adjust allow alter amend append assign block boot check clear
	confirm connect convert decommission deprovision deregister disconnect discard download dump edit
	encrypt end enroll exit expel export extend fail grant halt import ingest insert inspect join kick kill link list
	load lock lower mint mount offboard onboard open ping preview
	install lengthen recover redeem restrict shorten strengthen weaken
	register renew repair reboot restart select spawn start
	stream suspend test trigger unassign unblock unenroll uninstall unlink unlock unmount unregister unsuspend upload
	upsert revert view adopt appoint claim compact consent correct decrypt eject evict exempt expand fork harden interrupt
	loosen mask preempt reassign redact rekey reopen reorder replay rescind resync reveal tighten unmask
	vacuum`)

// TestFormsOfStems holds the forms of every stem against a dictionary's.
func TestFormsOfStems(t *testing.T) {
	tricky := make(map[string]inflection)
	for entry := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(trickyForms), "\n", "|"), "|") {
		f := strings.Fields(strings.ReplaceAll(entry, "/", "\x00"))
		for i := range f {
			f[i] = strings.ReplaceAll(f[i], "\x00", " ")
		}
		tricky[f[0]] = inflection{f[1], f[2], f[3]}
	}
	for stem, want := range tricky {
		assert.Equal(t, want, inflect(stem), stem)
	}
	for _, s := range verbTable {
		for stem := range fieldSet(s.strong + " " + s.nounlike + " " + s.weak + " " + s.weakest) {
			if _, known := tricky[stem]; known || uninflected[stem] {
				continue
			}
			assert.True(t, plainStems[stem], "%s: add its forms to this test", stem)
			assert.Equal(t, inflection{stem + "s", stem + "ed", stem + "ing"}, inflect(stem), stem)
		}
	}
}

// TestNoFormIsTwoVerbs: a form that two verbs claim with the same strength would be one or the other by chance.
func TestNoFormIsTwoVerbs(t *testing.T) {
	claimed := make(map[form]Verb)
	for v := range numVerbs {
		for _, f := range slices.Concat(verbTable[v].forms()...) {
			other, there := claimed[f]
			assert.True(t, !there || other == v, "%s: verbs %d and %d", f.word, other, v)
			claimed[f] = v
		}
	}
}
