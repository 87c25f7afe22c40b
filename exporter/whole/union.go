package whole

import (
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Union is the set of the events of several answers. Its zero value is empty and ready.
type Union struct {
	dedup.Seen
	good  int         // of the set, those whose rows are events: another may be a footer, or an error
	parts *dedup.Seen // of the answers since cover; nil before
	again int         // of these, how many that are events were in the set before
}

// cover begins to count which events of the set so far come again.
func (u *Union) cover() { u.parts, u.again = new(dedup.Seen), 0 }

// Mark adds an event to union and returns 1 if it was not there. Without a union it returns 0.
func Mark(union *Union, r *event.Row, who dedup.Identity) int {
	if union == nil {
		return 0
	}
	// A row with all its fields is no footer and no error, whatever is wrong with it.
	good := r.Bad == "" || r.Columns != nil && len(r.Fields) >= len(r.Columns.Names)
	fresh := union.Mark(who, r.Time, 0) == dedup.Fresh
	if fresh && good {
		union.good++
	}
	if union.parts != nil && union.parts.Mark(who, r.Time, 0) == dedup.Fresh && !fresh && good {
		union.again++
	}
	if fresh {
		return 1
	}
	return 0
}
