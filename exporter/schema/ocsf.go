package schema

import (
	"github.com/wherobots/in_wherobots_audit/exporter/action"
)

// apiActivity appends the entries of OCSF's class API Activity.
func apiActivity(dst, name []byte) []byte {
	id := action.OCSFUnknown
	if len(name) > 0 {
		id = action.Classify(name).OCSFActivity()
	}
	return appendActivity(dst, name, action.ClassAPI, id)
}

// withOutcome adds the outcome that the name tells.
func (e actionEntries) withOutcome() actionEntries {
	return actionEntries{
		count: e.count + 2,
		append: func(dst, name []byte) []byte {
			result := action.Classify(name).Outcome // OCSF's status_id has the same numbers
			dst = appendInt(appendString(e.append(dst, name), "status_id"), int64(result))
			return appendString(appendString(dst, "status"), ocsfStatusNames[result])
		},
	}
}

// activityEntries is how many entries appendActivity appends.
const activityEntries = 4

// appendActivity appends the activity. One that OCSF does not number has the action's own name.
func appendActivity(dst, name []byte, class action.Class, id int) []byte {
	caption := class.ActivityName(id)
	dst = appendInt(appendString(dst, "activity_id"), int64(id))
	dst = appendString(dst, "activity_name")
	if id == action.OCSFOther {
		dst = appendText(dst, name)
	} else {
		dst = appendString(dst, caption)
	}
	of := &action.Classes[class]
	dst = appendInt(appendString(dst, "type_uid"), int64(of.UID*100+id))
	return appendString(appendString(dst, "type_name"), of.Name+": "+caption)
}

var ocsfStatusNames = [...]string{"Unknown", "Success", "Failure"}
