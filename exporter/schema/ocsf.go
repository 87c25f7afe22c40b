package schema

import (
	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// OCSF's class_uid of API Activity, and how type_uid follows from class and activity.
const (
	ocsfAPIActivity = 6003
	ocsfTypeFactor  = 100
)

// newOCSFShape makes records of OCSF's class API Activity with the profile cloud.
func newOCSFShape(c *event.Columns) *Encoder {
	return compile(&ocsfDef, auditFields, c.Names)
}

// ocsfActivity adds the activity that the action's name stands for.
var ocsfActivity = actionEntries{count: 4, append: appendActivity}

// ocsfActivityStatus adds the outcome that the name tells, too.
var ocsfActivityStatus = actionEntries{
	count: 6,
	append: func(dst, name []byte) []byte {
		result := action.Classify(name).Outcome // OCSF's status_id has the same numbers
		dst = appendInt(appendString(appendActivity(dst, name), "status_id"), int64(result))
		return appendString(appendString(dst, "status"), ocsfStatusNames[result])
	},
}

// appendActivity appends four entries. An activity that OCSF does not number has the action's own name.
func appendActivity(dst, name []byte) []byte {
	id := action.OCSFUnknown
	if len(name) > 0 {
		id = action.Classify(name).OCSFActivity()
	}
	dst = appendInt(appendString(dst, "activity_id"), int64(id))
	dst = appendString(dst, "activity_name")
	if id == action.OCSFOther {
		dst = appendText(dst, name)
	} else {
		dst = appendString(dst, action.OCSFActivityNames[id])
	}
	dst = appendInt(appendString(dst, "type_uid"), ocsfAPIActivity*ocsfTypeFactor+int64(id))
	dst = appendString(dst, "type_name")
	dst = appendStringHeader(dst, len(ocsfTypePrefix)+len(action.OCSFActivityNames[id]))
	return append(append(dst, ocsfTypePrefix...), action.OCSFActivityNames[id]...)
}

const ocsfTypePrefix = "API Activity: "

var ocsfStatusNames = [...]string{"Unknown", "Success", "Failure"}
