package action

import (
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
	verbCreate: {
		strong: "create add insert install provision generate mint publish submit deploy onboard enroll establish allocate " +
			"introduce reissue",
		nounlike: "register issue clone duplicate copy fork",
		nominal: "creation addition insertion registration generation publication duplication submission enrollment " +
			"enrolment signup",
		weak:    "upload import invite load ingest send sign-up",
		weakest: "invitation",
	},
	verbRead: {
		strong:   "get fetch retrieve describe inspect browse find enumerate reveal decrypt explore",
		nounlike: "read list show",
		nominal:  "retrieval inspection",
		weak:     "view access download export query search preview open use scan select stream dump",
		weakest:  "latest",
	},
	verbUpdate: {
		strong: "modify edit rename rotate enable disable activate deactivate reactivate configure reconfigure restore " +
			"recover resize suspend unsuspend resume unlock unarchive renew regenerate redeem undelete bootstrap ensure " +
			"unlink connect disconnect extend alter amend adjust increase decrease apply append migrate convert undrop " +
			"overwrite truncate upsert revert unpublish subscribe unsubscribe unmount enforce unban unblock expose hide " +
			"approve accept join toggle customize optimize encrypt rebuild reindex reinstate " +
			"restrict shorten lengthen weaken strengthen turn-on turn-off expand freeze unfreeze claim adopt annotate " +
			"categorize redact anonymize mask unmask harden relax tighten loosen relocate reorder rekey relabel deprecate " +
			"acknowledge dismiss mute unmute snooze resolve reopen quarantine isolate bypass waive exempt unpause pin unpin " +
			"untag unset unmap resync compact vacuum correct designate",
		nounlike: "update change set move refresh reset replace patch pause lock archive transfer upgrade downgrade " +
			"switch swap exchange scale empty raise lower mount ban repair roll-back",
		nominal: "modification rotation activation deactivation reactivation restoration recovery suspension " +
			"renewal regeneration redemption undeletion alteration adjustment migration conversion replacement " +
			"initialization upsertion enforcement approval acceptance reinstatement disablement enablement",
		weak:    "write save commit merge sync override link confirm put label map take",
		weakest: "block confirmation",
	},
	verbDelete: {
		strong: "delete remove destroy purge erase deregister unregister uninstall deprovision offboard discard wipe " +
			"expunge decommission expel undeploy unenroll prune evict eject retire obliterate dismantle",
		nounlike: "drop clear trash kick",
		weakest:  "leave",
		nominal:  "deletion removal destruction erasure",
	},
	verbRevoke: {strong: "revoke invalidate rescind withdraw", nominal: "revocation invalidation withdrawal"},
	verbGrant: {
		strong:   "assign reassign promote elevate authorize attach delegate escalate entitle permit bind appoint nominate",
		nounlike: "grant consent",
		nominal:  "assignment elevation promotion authorization delegation escalation",
		weak:     "share",
		weakest:  "allow",
	},
	verbTake: {
		strong:  "unassign demote unshare detach deauthorize unbind strip",
		nominal: "demotion unassignment detachment",
	},
	verbStart: {
		strong:   "begin restart execute initiate spawn relaunch rerun invoke reboot retry replay requeue enqueue dispatch",
		nounlike: "start launch boot trigger",
		nominal:  "initiation",
		weakest:  "run schedule",
	},
	verbStop: {
		strong:   "abort halt expire hibernate interrupt preempt quit",
		nounlike: "stop kill shut-down finish end crash",
		nominal:  "expiration expiry hibernation",
		weak:     "exit close",
		weakest:  "complete fail completion",
	},
	verbCancel: {strong: "cancel terminate", nominal: "cancellation termination"},
	verbCheck: {
		strong:  "verify validate",
		nominal: "verification validation",
		weak:    "test check probe ping",
	},
	verbLogin: {
		strong:  "authenticate reauthenticate impersonate",
		nominal: "impersonation",
		weak:    "log-in sign-in log-on sign-on authentication assume",
	},
	verbLogout: {weak: "log-out sign-out log-off sign-off"},
}

// uninflected are the words below nounlike that have no further forms.
var uninflected = fieldSet("invitation latest confirmation completion authentication")

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
		all = append(all, []form{{word, nounlike}})
	}
	for how, list := range [numStrengths]string{
		weakest: s.weakest, weak: s.weak, nounlike: s.nounlike, strong: s.strong,
	} {
		for _, stem := range strings.Fields(list) {
			all = append(all, formsOf(stem, strength(how)))
		}
	}
	return all
}

// formsOf spells a stem's forms out. One that is spelled like its stem ("set") is as strong as that.
func formsOf(stem string, how strength) []form {
	base := strings.ReplaceAll(stem, "-", "")
	all := []form{{base, how}}
	if uninflected[stem] {
		return all
	}
	past, gerund := strong, max(how, nounlike)
	if how == weakest {
		past, gerund = weakest, weakest
	}
	inflected := inflect(stem)
	all = append(all, form{inflected.third, how})
	for _, word := range strings.Fields(inflected.past) {
		if word != base {
			all = append(all, form{word, past})
		}
	}
	for _, word := range strings.Fields(inflected.gerund) {
		if word == "setting" { // mostly the noun
			word = "settingof"
		}
		all = append(all, form{word, gerund})
	}
	return all
}

// verb finds what was done and the word that says so, -1 if none does. Names mostly end or begin with their
// verb ("api_key_created", "CreateApiKey"): of equally strong words, the last one counts, then the first, then
// those between. Of "create or update" the second counts: it says more.
func (w *words) verb() (Verb, int) {
	best, at := verbWord{}, -1
	for n := range w.count {
		i := w.verbOrder(n)
		if i+1 < w.count && string(w.at(i+1)) == "or" {
			continue
		}
		if found, ok := verbs[string(w.at(i))]; ok && (at < 0 || found.strength > best.strength) {
			best, at = found, i
		}
	}
	return best.verb, at
}

// verbOrder is the order in which words are tried: the last, the first, and those between.
func (w *words) verbOrder(i int) int {
	if i == 0 {
		return w.count - 1
	}
	return i - 1
}
