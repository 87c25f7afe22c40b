package schema

import (
	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// newECSShape makes records of the Elastic Common Schema: nested maps, what ECS has no field for under
// wherobots.audit. @timestamp is not written: outputs make it of the record's time. Nor is event.created,
// when the event was first read: an event that is fetched again must make the same document.
func newECSShape(c *event.Columns) *Encoder {
	return compile(&ecsDef, auditFields, c.Names)
}

// ecsAction adds to event what the action's name means.
var ecsAction = actionEntries{
	count: 3,
	append: func(dst, name []byte) []byte {
		a := action.Classify(name)
		dst = appendStrings(appendString(dst, "category"), []string{action.CategoryNames[a.Category]})
		dst = appendStrings(appendString(dst, "type"), a.ECSTypes())
		return appendString(appendString(dst, "outcome"), action.OutcomeNames[a.Outcome])
	},
}
