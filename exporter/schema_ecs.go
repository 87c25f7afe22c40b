package exporter

// newECSShape makes records of the Elastic Common Schema: nested maps, what ECS has no field for under wherobots.audit. @timestamp is not
// written: outputs make it of the record's time. Nor is event.created, when the event was first read: an event that is fetched again
// must make the same document.
func newECSShape(c *columns) *program {
	return compile(&ecsDef, auditFields, c.names)
}

// ecsAction adds to event what the action's name means.
var ecsAction = actionEntries{
	count: 3,
	append: func(dst, name []byte) []byte {
		a := classify(name)
		dst = appendStrings(appendString(dst, "category"), []string{categoryNames[a.category]})
		dst = appendStrings(appendString(dst, "type"), a.ecsTypes())
		return appendString(appendString(dst, "outcome"), outcomeNames[a.outcome])
	},
}
