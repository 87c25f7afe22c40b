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
expose exposes exposed exposing | expel expels expelled expelling
expunge expunges expunged expunging | fetch fetches fetched fetching
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
untag untags untagged untagging | waive waives waived waiving | withdraw withdraws withdrew/withdrawn withdrawing
admit admits admitted admitting | allot allots allotted allotting | analyze analyzes analyzed analyzing
annul annuls annulled annulling | assess assesses assessed assessing | associate associates associated associating
back-up backsup backedup backingup | banish banishes banished banishing | boot-up bootsup bootedup bootingup
bring-down bringsdown broughtdown bringingdown | bring-online bringsonline broughtonline bringingonline
bring-up bringsup broughtup bringingup | build builds built building | call-off callsoff calledoff callingoff
carry-out carriesout carriedout carryingout | cease ceases ceased ceasing | certify certifies certified certifying
check-in checksin checkedin checkingin | check-out checksout checkedout checkingout
classify classifies classified classifying | clean-up cleansup cleanedup cleaningup
commence commences commenced commencing | compare compares compared comparing | compose composes composed composing
conclude concludes concluded concluding | confer confers conferred conferring
deallocate deallocates deallocated deallocating | deauthenticate deauthenticates deauthenticated deauthenticating
declare declares declared declaring | declassify declassifies declassified declassifying
decline declines declined declining | deduplicate deduplicates deduplicated deduplicating
deescalate deescalates deescalated deescalating | defer defers deferred deferring | define defines defined defining
demolish demolishes demolished demolishing | deprive deprives deprived depriving
detokenize detokenizes detokenized detokenizing | diagnose diagnoses diagnosed diagnosing | die dies died dying
disassociate disassociates disassociated disassociating | disclose discloses disclosed disclosing
discontinue discontinues discontinued discontinuing | disinvite disinvites disinvited disinviting
dispose disposes disposed disposing | dispossess dispossesses dispossessed dispossessing
dissociate dissociates dissociated dissociating | downscale downscales downscaled downscaling
eliminate eliminates eliminated eliminating | enrich enriches enriched enriching | enrol enrols enrolled enrolling
eradicate eradicates eradicated eradicating | estimate estimates estimated estimating
evaluate evaluates evaluated evaluating | evolve evolves evolved evolving | examine examines examined examining
exclude excludes excluded excluding | exfiltrate exfiltrates exfiltrated exfiltrating
finalize finalizes finalized finalizing | fire-up firesup firedup firingup | flag flags flagged flagging
flush flushes flushed flushing | format formats formatted formatting | geocode geocodes geocoded geocoding
georeference georeferences georeferenced georeferencing | give gives gave/given giving
grow grows grew/grown growing | hand-over handsover handedover handingover | hold holds held holding
impose imposes imposed imposing | initialize initializes initialized initializing
instantiate instantiates instantiated instantiating | kick-off kicksoff kickedoff kickingoff
kick-out kicksout kickedout kickingout | lapse lapses lapsed lapsing | lock-out locksout lockedout lockingout
look-up looksup lookedup lookingup | make makes made making | materialize materializes materialized materializing
mitigate mitigates mitigated mitigating | normalize normalizes normalized normalizing
nullify nullifies nullified nullifying | obfuscate obfuscates obfuscated obfuscating
observe observes observed observing | opt-in optsin optedin optingin | opt-out optsout optedout optingout
parametrize parametrizes parametrized parametrizing | personalize personalizes personalized personalizing
phase-out phasesout phasedout phasingout | postpone postpones postponed postponing
power-down powersdown powereddown poweringdown | power-off powersoff poweredoff poweringoff
power-on powerson poweredon poweringon | power-up powersup poweredup poweringup
preserve preserves preserved preserving | pseudonymize pseudonymizes pseudonymized pseudonymizing
purchase purchases purchased purchasing | push pushes pushed pushing | queue queues queued queuing
rasterize rasterizes rasterized rasterizing | reapprove reapproves reapproved reapproving
rebalance rebalances rebalanced rebalancing | rebind rebinds rebound rebinding
recalculate recalculates recalculated recalculating | recertify recertifies recertified recertifying
reclassify reclassifies reclassified reclassifying | recompute recomputes recomputed recomputing
reconcile reconciles reconciled reconciling | recreate recreates recreated recreating
rectify rectifies rectified rectifying | redo redoes redid/redone redoing
reexecute reexecutes reexecuted reexecuting | refine refines refined refining | release releases released releasing
remap remaps remapped remapping | remediate remediates remediated remediating
replicate replicates replicated replicating | reprocess reprocesses reprocessed reprocessing
republish republishes republished republishing | reroute reroutes rerouted rerouting
resample resamples resampled resampling | reschedule reschedules rescheduled rescheduling
reserve reserves reserved reserving | resubmit resubmits resubmitted resubmitting | retag retags retagged retagging
revalidate revalidates revalidated revalidating | reverify reverifies reverified reverifying
rewind rewinds rewound rewinding | rewrap rewraps rewrapped rewrapping
rewrite rewrites rewrote/rewritten rewriting | roll-forward rollsforward rolledforward rollingforward
roll-out rollsout rolledout rollingout | roll-over rollsover rolledover rollingover | route routes routed routing
sample samples sampled sampling | sanitize sanitizes sanitized sanitizing | scrap scraps scrapped scrapping
scrub scrubs scrubbed scrubbing | set-up setsup setup settingup | shred shreds shredded shredding
shrink shrinks shrank/shrunk shrinking | shut-off shutsoff shutoff shuttingoff
simulate simulates simulated simulating | sleep sleeps slept sleeping | spin-down spinsdown spundown spinningdown
spin-up spinsup spunup spinningup | stand-up standsup stoodup standingup | star stars starred starring
summarize summarizes summarized summarizing
sunset sunsets sunset/sunsetted sunsetting | switch-off switchesoff switchedoff switchingoff
switch-on switcheson switchedon switchingon | synchronize synchronizes synchronized synchronizing
take-down takesdown tookdown/takendown takingdown | take-offline takesoffline tookoffline/takenoffline takingoffline
tear-down tearsdown toredown/torndown tearingdown | throttle throttles throttled throttling
time-out timesout timedout timingout | tokenize tokenizes tokenized tokenizing | try tries tried trying
tune tunes tuned tuning | unapprove unapproves unapproved unapproving | undefine undefines undefined undefining
undelegate undelegates undelegated undelegating | undo undoes undid/undone undoing
unenrol unenrols unenrolled unenrolling | unhide unhides unhid/unhidden unhiding
uninvite uninvites uninvited uninviting | untrash untrashes untrashed untrashing
unwrap unwraps unwrapped unwrapping | upscale upscales upscaled upscaling
vectorize vectorizes vectorized vectorizing | visualize visualizes visualized visualizing
wake wakes woke/woken waking | wake-up wakesup wokeup/wokenup wakingup | watch watches watched watching
wind-down windsdown wounddown windingdown | withhold withholds withheld withholding
pay pays paid paying | charge charges charged charging
compromise compromises compromised compromising | cap caps capped capping | break breaks broke/broken breaking
let-go letsgo letgo lettinggo
assemble assembles assembled assembling | bounce bounces bounced bouncing | breach breaches breached breaching
double doubles doubled doubling | endorse endorses endorsed endorsing | halve halves halved halving
notify notifies notified notifying | produce produces produced producing | reach reaches reached reaching
reduce reduces reduced reducing | reorganize reorganizes reorganized reorganizing
repurpose repurposes repurposed repurposing | restructure restructures restructured restructuring
revise revises revised revising | trim trims trimmed trimming
ignore ignores ignored ignoring | skip skips skipped skipping
unflag unflags unflagged unflagging | unstar unstars unstarred unstarring`

// plainStems just take s, ed and ing.
var plainStems = fieldSet(`abort accept add adjust allow alter amend append assign block boot check clear
	confirm connect convert decommission deprovision deregister disconnect discard download dump edit
	encrypt end enroll exit export extend fail grant halt import ingest insert inspect join kick kill link list
	load lock lower mint mount offboard onboard open ping preview
	install lengthen recover redeem restrict shorten strengthen weaken
	register renew repair reboot restart select spawn start
	stream suspend test trigger unassign unblock unenroll uninstall unlink unlock unmount unregister unsuspend upload
	upsert revert view adopt appoint claim compact consent correct decrypt eject evict exempt expand fork harden interrupt
	loosen mask preempt reassign redact rekey reopen reorder replay rescind resync reveal tighten unmask
	vacuum
	detect suspect exceed warn tweak bump lift tamper hijack curtail reparent retarget refactor realign
	protect unprotect narrow refund bill inherit leak scaffold
	attest awaken award backfill bestow bookmark boost broaden clean collect comment conduct construct consult
	cordon count crawl cull delist disallow disband discover disenroll display draft drain embargo empower enlist
	entrust explain extract failover forward introspect lint lookup mark mirror monitor oust pair peek perform post
	print prohibit pull reap rebrand recall recheck reclaim reconnect redeploy redirect reject render repartition
	repeal reproject reprovision respawn retain retest retract retrigger review rework roll seal seed tail thaw
	transform troubleshoot uncordon unfollow ungrant unload unpair unprovision unseal vend void widen`)

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
