package verify

import (
	"fmt"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Report says what a comparison found.
type Report struct {
	From, To time.Time // the stretch that was asked for, without its end
	Hours    []Hour    // every hour of it, in order

	Exported   int // events with an event_id that the export has of the stretch
	TooYoung   int // of these, younger than Overlap before Through: whether they are missing was not compared
	Missing    int // of these, not in the SIEM's list
	Unprovable int // rows without an event_id: no digest has them

	Through time.Time     // up to where was collected; without a checkpoint, the present
	Overlap time.Duration // the setting: what happened later than that before Through may still be on its way

	Compared     bool     // there was a list of the SIEM's ids
	Listed       int      // ids in it
	Extra        int      // of these, not in the export, nor an hour before and after the stretch
	ExtraIDs     []string // the first of them, if the list could be read twice
	Counted      bool     // the endpoint's count was compared, at least once
	Disagreeing  int      // hours that the endpoint counts otherwise than it exports
	CountsFailed string   // why counts were not compared, or not all; "" = they were, or were not wanted

	settled bool // something was read that is old enough for missing events to count
}

// State is what is known of an hour.
type State int

const (
	Same        State = iota // the export has what was handed over, by the checkpoint's digest
	Differs                  // it has something else
	NotCompared              // there is no digest to compare with: Reason says why
	Unread                   // the export could not be read: Reason says why
)

// Hour is what was found of one hour.
type Hour struct {
	Start     time.Time
	State     State
	Reason    string
	Exported  int   // events in the export that belong to the stretch
	Collected int   // events that were handed over, by the digest
	Missing   int   // events of the export that the SIEM's list does not have
	Counted   int64 // events by the endpoint's own count where that disagrees, else -1
}

// Proved reports whether something was compared, all of it could be read, and nothing differs, is missing or is extra.
// Hours that cannot be compared and events that are too young do not matter, unless there is nothing else.
func (r Report) Proved() bool { return r.comparedAny() && r.sound() }

// comparedAny reports whether anything was compared with a digest or the list. A list that could only have been
// compared with events that are too young proves nothing, even an empty one would do.
func (r Report) comparedAny() bool {
	listed := r.Compared && r.settled && (r.Exported > r.TooYoung || r.Exported == 0)
	return listed || r.Count(NotCompared) < len(r.Hours)
}

func (r Report) sound() bool {
	return r.Missing == 0 && r.Extra == 0 && r.Disagreeing == 0 && r.Count(Differs) == 0 && r.Count(Unread) == 0
}

// Count is how many hours are in a state.
func (r Report) Count(state State) (n int) {
	for _, hour := range r.Hours {
		if hour.State == state {
			n++
		}
	}
	return n
}

// String is the report for a person: the verdict and totals first, then each hour that is not in order.
func (r Report) String() string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	verdict := "No difference was found."
	switch {
	case !r.sound():
		verdict = "There are differences, or hours that could not be read."
	case !r.comparedAny():
		verdict = "Nothing could be compared."
	}
	line("%s – %s: %s", stamp(r.From), stamp(r.To), verdict)
	line("compared:  digests of %d of %d hours; SIEM list: %s; the endpoint's count: %s",
		r.Count(Same)+r.Count(Differs), len(r.Hours), yes(r.Compared), r.counted())
	line("hours:     %d the same, %d differ, %d not compared, %d could not be read",
		r.Count(Same), r.Count(Differs), r.Count(NotCompared), r.Count(Unread))
	line("export:    %d events", r.Exported)
	if r.TooYoung > 0 {
		line("           %s: not compared", r.young())
	}
	if r.Unprovable > 0 {
		line("           %d more rows have no event_id; nothing is proved of them", r.Unprovable)
	}
	if r.Compared {
		line("SIEM list: %d event_ids; missing %d (exported, not in the list), extra %d (in the list, not exported)",
			r.Listed, r.Missing, r.Extra)
	}
	if r.Disagreeing > 0 {
		line("count:     the endpoint counts %d hours otherwise than it exports them", r.Disagreeing)
	}
	if r.CountsFailed != "" {
		line("count:     not compared: %s", r.CountsFailed)
	}
	for _, id := range r.ExtraIDs {
		line("  extra: %s", id)
	}
	if more := r.Extra - len(r.ExtraIDs); more > 0 && len(r.ExtraIDs) > 0 {
		line("  and %d more", more)
	}
	r.hours(line)
	return out.String()
}

// young says which events are too young.
func (r Report) young() string {
	text := fmt.Sprintf("%d events younger than overlap (%s)", r.TooYoung, logline.Duration(r.Overlap))
	if r.To.After(r.Through) {
		text += ", or than what was collected, up to " + stamp(r.Through)
	}
	return text
}

// counted says whether the endpoint's count was compared.
func (r Report) counted() string {
	if r.Counted && r.CountsFailed != "" {
		return "in part"
	}
	return yes(r.Counted)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// hours are lines for what is not in order. Hours that follow one another and say the same share a line.
func (r Report) hours(line func(string, ...any)) {
	for i := 0; i < len(r.Hours); {
		text, first := r.Hours[i].text(), r.Hours[i].Start
		for i++; i < len(r.Hours) && r.Hours[i].text() == text; i++ {
		}
		if text != "" {
			line("  %s – %s: %s", stamp(first), stamp(r.Hours[i-1].Start.Add(time.Hour)), text)
		}
	}
}

// text is what is to be said of an hour; "" = it is in order.
func (h *Hour) text() string {
	var parts []string
	switch h.State {
	case Differs:
		parts = append(parts, h.difference())
	case NotCompared:
		parts = append(parts, "not compared: "+h.Reason)
	case Unread:
		parts = append(parts, "could not be read: "+h.Reason)
	case Same:
	}
	if h.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%d missing from the list", h.Missing))
	}
	if h.Counted >= 0 {
		parts = append(parts, fmt.Sprintf("the endpoint counts %d and exports %d", h.Counted, h.Exported))
	}
	return strings.Join(parts, "; ")
}

func (h *Hour) difference() string {
	switch {
	case h.Exported > h.Collected:
		return fmt.Sprintf("differs: %d exported, %d handed over; the rest may have appeared since, "+
			"and reconciliation fetches it", h.Exported, h.Collected)
	case h.Exported < h.Collected:
		return fmt.Sprintf("differs: %d exported, %d handed over; the export no longer shows all of them",
			h.Exported, h.Collected)
	}
	return fmt.Sprintf("differs: %d exported and handed over, but not the same events", h.Exported)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
