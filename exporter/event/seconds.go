package event

import (
	"time"
)

// Seconds clamps to what EventTime can say, 1970 to 2106. The exact text stays in the record's own field.
func Seconds(t time.Time) uint32 {
	switch seconds := t.Unix(); {
	case seconds < 0:
		return 0
	case seconds > 1<<32-1:
		return 1<<32 - 1
	default:
		return uint32(seconds)
	}
}
