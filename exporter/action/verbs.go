package action

import (
	"bytes"
	"slices"
	"strings"
)

// The verbs of the names of actions. A word that is missing here costs a precise type, never an event.

// strength is how surely a word is its name's verb: the strongest one counts.
type strength uint8

const (
	weakest  strength = iota // told by nothing else: "run", "failed"
	weak                     // more often a noun: "export", "link"
	nounlike                 // a verb that is a noun as well ("grant"), or a noun made of a verb ("deletion")
	strong                   // nothing but a verb; the past forms of the others, too
	numStrengths
)

// stems are those of one verb. Past forms are strong except of the weakest, gerunds are at least nounlike.
type stems struct {
	strong   string
	nounlike string
	nominal  string // nouns made of these verbs, which have no further forms
	weak     string
	weakest  string
}

var verbTable = [numVerbs]stems{
	verbOther: { // what was only noticed: nothing was done
		strong: "detect suspect exceed reach bounce notify warn breach skip ignore",
	},
	verbCreate: {
		strong: "create add insert install provision generate mint publish submit deploy onboard enroll enrol establish " +
			"allocate introduce reissue instantiate construct compose materialize assemble produce scaffold declare " +
			"define enlist admit vend " +
			"recreate redeploy resubmit reprovision",
		nounlike: "register issue clone duplicate copy fork",
		nominal: "creation addition insertion registration generation publication duplication submission enrollment " +
			"enrolment signup installation allocation establishment introduction issuance reissuance instantiation " +
			"construction importation onboarding provisioning",
		weak: "upload import invite load ingest sign-up build set-up spin-up stand-up bring-up back-up replicate " +
			"push post purchase seed draft",
		weakest: "invitation ingestion new comment send",
	},
	verbRead: {
		strong: "get fetch retrieve describe inspect browse find enumerate reveal decrypt explore discover extract " +
			"examine disclose exfiltrate unload render visualize summarize introspect peek consult observe collect",
		nounlike: "read list show lookup",
		nominal: "retrieval inspection enumeration exploration discovery extraction disclosure exfiltration decryption " +
			"consultation examination",
		weak: "view access download export query search preview use scan select stream dump look-up check-out " +
			"display print pull sample crawl tail analyze watch count estimate explain compare review",
		weakest: "latest",
	},
	verbUpdate: {
		strong: "modify edit rename rotate enable disable activate deactivate reactivate configure reconfigure restore " +
			"recover resize suspend unsuspend resume unlock unarchive renew regenerate redeem undelete bootstrap ensure " +
			"unlink connect disconnect reconnect extend alter amend adjust increase decrease apply append migrate " +
			"convert undrop overwrite rewrite truncate upsert revert unpublish subscribe unsubscribe unmount enforce " +
			"unban unblock expose hide unhide accept decline join toggle customize optimize encrypt rebuild reindex " +
			"reinstate restrict shorten lengthen weaken strengthen widen broaden narrow loosen tighten harden relax " +
			"turn-on turn-off switch-on switch-off opt-in opt-out lock-out roll-over roll-forward roll-out check-in " +
			"expand freeze unfreeze thaw claim reclaim adopt annotate categorize classify reclassify declassify " +
			"redact anonymize pseudonymize mask unmask obfuscate sanitize scrub tokenize detokenize " +
			"relocate reorder rekey relabel retag rebrand deprecate acknowledge dismiss mute unmute snooze resolve " +
			"reopen quarantine isolate bypass waive exempt unpause pin unpin untag unset unmap resync compact vacuum " +
			"correct designate evolve fix remediate mitigate rectify refine tune boost shrink grow throttle impose " +
			"initialize synchronize backfill repartition rebalance recompute recalculate reprocess deduplicate " +
			"normalize transform enrich reproject georeference geocode rasterize vectorize resample " +
			"pair unpair seal unseal unwrap rewrap cordon uncordon reroute redirect forward failover " +
			"finalize certify attest recertify undo redo unflag unfollow unstar rewind personalize parametrize " +
			"revise restructure reorganize reparent retarget repurpose refactor realign tweak bump trim reduce lift " +
			"tamper hijack double halve retain reserve inherit compromise leak protect unprotect embargo republish " +
			"remap preserve untrash defer " +
			"postpone reschedule downscale upscale",
		nounlike: "update change set move refresh reset replace patch pause lock archive transfer upgrade downgrade " +
			"switch swap exchange scale empty raise lower mount ban repair roll-back rework",
		nominal: "modification rotation activation deactivation reactivation restoration recovery suspension " +
			"renewal regeneration redemption undeletion alteration adjustment migration conversion replacement " +
			"initialization upsertion enforcement acceptance reinstatement disablement enablement " +
			"amendment customization optimization expansion isolation acknowledgement acknowledgment annotation " +
			"anonymization pseudonymization deprecation relocation truncation compaction synchronization " +
			"reconfiguration disconnection reconnection resumption reversal reversion remediation mitigation " +
			"rectification classification reclassification evolution exposure normalization transformation " +
			"allowlisted whitelisted blacklisted blocklisted denylisted allowlisting whitelisting blacklisting " +
			"blocklisting denylisting",
		weak: "write save commit merge sync override link confirm put label map take make tag flag mark route mirror " +
			"release roll bookmark star format reconcile hold pay refund charge bill cap break",
		weakest: "block confirmation reject",
	},
	verbDelete: {
		strong: "delete remove destroy purge erase deregister unregister uninstall deprovision offboard discard wipe " +
			"expunge decommission expel undeploy unenroll unenrol disenroll prune evict eject retire cull obliterate " +
			"dismantle tear-down take-down clean-up phase-out kick-out let-go eliminate eradicate disband dispose shred scrap " +
			"delist demolish banish oust uninvite disinvite exclude unprovision undefine reap deallocate",
		nounlike: "drop clear trash kick flush sunset",
		weak:     "clean",
		weakest:  "leave del rm",
		nominal: "deletion removal destruction erasure deregistration unregistration uninstallation eviction expulsion " +
			"ejection retirement disposal elimination exclusion offboarding deprovisioning decommissioning cleanup " +
			"teardown takedown disbandment obliteration deallocation",
	},
	verbRevoke: {
		strong:  "revoke invalidate rescind withdraw annul nullify retract repeal",
		nominal: "revocation invalidation withdrawal annulment rescission retraction nullification repeal",
		weak:    "recall void",
	},
	verbGrant: {
		strong: "assign reassign promote elevate authorize attach delegate escalate entitle permit bind appoint nominate " +
			"approve reapprove associate give entrust confer bestow empower endorse allot hand-over rebind",
		nounlike: "grant consent",
		nominal: "assignment reassignment elevation promotion authorization delegation escalation approval appointment " +
			"nomination association",
		weak:    "share award",
		weakest: "allow",
	},
	verbTake: {
		strong: "unassign demote unshare detach deauthorize unbind strip disassociate dissociate unapprove disallow " +
			"prohibit ungrant deescalate deprive dispossess withhold curtail undelegate",
		nominal: "demotion unassignment detachment disassociation dissociation deescalation",
	},
	verbStart: {
		strong: "begin restart execute initiate spawn respawn relaunch rerun invoke reboot retry replay requeue enqueue " +
			"dispatch commence kick-off fire-up power-on power-up boot-up wake wake-up awaken perform conduct " +
			"carry-out bring-online retrigger reexecute",
		nounlike: "start launch boot trigger",
		nominal:  "initiation invocation commencement resubmission startup",
		weak:     "queue exec",
		weakest:  "run schedule",
	},
	verbStop: {
		strong: "abort halt expire hibernate interrupt preempt quit power-off power-down spin-down wind-down bring-down " +
			"take-offline time-out cease conclude discontinue drain",
		nounlike: "stop kill shut-down shut-off end crash lapse",
		nominal:  "expiration expiry hibernation interruption cessation discontinuation preemption stoppage",
		weak:     "exit close sleep die",
		weakest:  "complete finish fail completion",
	},
	verbCancel: {strong: "cancel terminate call-off", nominal: "cancellation termination"},
	verbCheck: {
		strong: "verify validate reverify revalidate recheck retest assess evaluate diagnose troubleshoot simulate",
		nominal: "verification validation assessment evaluation reverification revalidation simulation diagnosis " +
			"healthcheck",
		weak: "test check probe ping try lint",
	},
	verbOpen: {weak: "open"},
	verbLogin: {
		strong:  "authenticate reauthenticate impersonate",
		nominal: "impersonation reauthentication",
		weak:    "log-in sign-in log-on sign-on authentication auth logins assume",
	},
	verbLogout: {strong: "deauthenticate", weak: "log-out sign-out log-off sign-off"},
}

// uninflected are the words below nounlike that have no further forms.
var uninflected = fieldSet("logins invitation ingestion latest confirmation completion authentication auth new del " +
	"rm exec")

// verbWord is what a word tells as a verb.
type verbWord struct {
	verb     Verb
	strength strength
}

// verbs are all verbs by all their forms.
var verbs = func() map[string]verbWord {
	forms := make(map[string]verbWord)
	for v, s := range verbTable {
		for _, f := range slices.Concat(s.forms()...) {
			if known, there := forms[f.word]; !there || f.strength > known.strength {
				forms[f.word] = verbWord{Verb(v), f.strength}
			}
		}
	}
	return forms
}()

type form struct {
	word     string
	strength strength
}

// forms spells a verb's words out, stem by stem.
func (s *stems) forms() (all [][]form) {
	for _, word := range strings.Fields(s.nominal) {
		all = append(all, bothSpellings(word, func(word string) []form { return []form{{word, nounlike}} }))
	}
	for how, list := range [numStrengths]string{
		weakest: s.weakest, weak: s.weak, nounlike: s.nounlike, strong: s.strong,
	} {
		for _, stem := range strings.Fields(list) {
			all = append(all, bothSpellings(stem, func(stem string) []form { return formsOf(stem, strength(how)) }))
		}
	}
	return all
}

// bothSpellings makes the forms of a word in American spelling, and of the British one where that has an s.
func bothSpellings(word string, make func(string) []form) []form {
	all := make(word)
	for american, british := range map[string]string{"ize": "ise", "yze": "yse", "ization": "isation"} {
		if base, ok := strings.CutSuffix(word, american); ok && word != "resize" {
			all = append(all, make(base+british)...)
		}
	}
	return all
}

// formsOf spells a stem's forms out. One that is spelled like its stem ("set") is as strong as that.
func formsOf(stem string, how strength) []form {
	base := strings.ReplaceAll(stem, "-", "")
	all := []form{{base, how}}
	if base != stem && nouns[base] > kindLoose {
		all[0].strength = weakest // "back up" is a verb, but a "backup" is hardly one
	}
	if uninflected[stem] {
		return all
	}
	past, gerund := strong, max(how, nounlike)
	if how == weakest {
		past, gerund = weakest, weakest
	}
	inflected := inflect(stem)
	third := how
	if nouns[base] != kindOther { // "grants" are mostly several of them
		third = min(how, weak)
	}
	all = append(all, form{inflected.third, third})
	for _, word := range strings.Fields(inflected.past) {
		if word != base {
			all = append(all, form{word, past})
		}
	}
	for _, word := range strings.Fields(inflected.gerund) {
		if word == "setting" { // mostly the noun
			word = "settingof"
		}
		how := gerund
		if nouns[word] != kindOther { // "sharing" and "logging" are things as well
			how = weakest
		}
		all = append(all, form{word, how})
	}
	return all
}

// lookUpVerb knows what "re" makes of other verbs, too: what was uploaded once more was reuploaded.
func lookUpVerb(word []byte) verbWord {
	if found, ok := verbs[string(word)]; ok {
		return found
	}
	if rest, ok := bytes.CutPrefix(word, []byte("re")); ok {
		if found := verbs[string(rest)]; found.strength >= nounlike {
			return found
		}
	}
	return verbWord{}
}

// verb finds what was done and the word that says so, -1 if none does. Names mostly end or begin with their
// verb ("api_key_created", "CreateApiKey"): of equally strong words, the last one counts, then the first, then
// those between. Of "create or update" the second counts: it says more. An "access list" is a thing: neither of its
// words is the verb, and whoever lists deleted files deletes none.
//
// Of what was started, it finds the verb besides the start, if one is told by more than a hint.
func (w *words) verb(ofStarted bool) (Verb, int) {
	if i := w.cancelledDeletion(); i >= 0 {
		return verbUpdate, i
	}
	best, at := verbWord{}, -1
	for n := range w.count {
		i := w.verbOrder(n)
		if i+1 < w.count && string(w.at(i+1)) == "or" || w.isThing(i-1) || w.isThing(i) ||
			w.isSelection(i) {
			continue
		}
		found := lookUpVerb(w.at(i))
		if ofStarted && !found.canBeStarted() {
			continue
		}
		if found != (verbWord{}) && (at < 0 || found.strength > best.strength) {
			best, at = found, i
		}
	}
	return best.verb, at
}

// isThing reports whether the words at i and behind it are a compound, whatever verbs they look like.
func (w *words) isThing(i int) bool {
	return i >= 0 && i+1 < w.count && lookUpNoun(w.pair(i)) != kindOther
}

// isSelection reports whether the past form at i only says which things are read: "list deleted files".
func (w *words) isSelection(i int) bool {
	return i > 0 && i+1 < w.count && bytes.HasSuffix(w.at(i), []byte("ed")) && lookUpNoun(w.at(i+1)) != kindOther &&
		verbs[string(w.at(0))].verb == verbRead
}

func (v verbWord) canBeStarted() bool {
	switch v.verb {
	case verbOther, verbStart, verbLogin, verbLogout:
		return false
	}
	return v.strength > weakest
}

// cancelledDeletion finds the word that says that a deletion was called off, -1 if none does: what was to go stays.
func (w *words) cancelledDeletion() int {
	cancelled, deletion := -1, false
	for i := range w.count {
		switch found := verbs[string(w.at(i))]; {
		case found.verb == verbCancel:
			cancelled = i
		case found == verbWord{verbDelete, nounlike}:
			deletion = true
		}
	}
	if !deletion {
		return -1
	}
	return cancelled
}

// verbOrder is the order in which words are tried: the last, the first, and those between.
func (w *words) verbOrder(i int) int {
	if i == 0 {
		return w.count - 1
	}
	return i - 1
}
