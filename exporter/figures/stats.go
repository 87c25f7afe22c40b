package figures

import (
	"math"
	"time"
)

// Outcome is what became of a request for events.
type Outcome int

// The outcomes, each request has one.
const (
	OK      Outcome = iota // an answer with rows, read to its end
	Empty                  // an answer without rows
	Retried                // it failed and is sent again
	Shrunk                 // it was too much: shorter windows are asked for
	Refused                // it needs a person: the credential, permissions, settings
	Outcomes
)

var outcomeNames = [Outcomes]string{"ok", "empty", "retried", "shrunk", "refused"}

// String is the outcome as the label says it.
func (o Outcome) String() string { return outcomeNames[o] }

// Stats are the figures of one instance at one moment. Counters begin with 0 at its start. Times are Unix seconds; 0
// stands for one that is not known.
type Stats struct {
	Outcomes   [Outcomes]int64 // requests for events that have ended, by outcome
	Failures   int64           // windows that could not be read and are asked for again
	Rows       int64           // rows read, those of the overlap included
	Duplicates int64           // of them, rows that had been handed over before
	Records    int64           // records given to the engine's queue
	HandedOver int64           // their bytes
	BadRows    int64           // of them, rows that could not be read whole
	Changed    int64           // of them, new versions of events that were forwarded before
	Late       int64           // of them, events that appeared after their time had been read
	Bytes      int64           // bytes of answers, after decompression
	Commits    int64           // checkpoints saved
	Refetches  int64           // times that something handed over may have been lost and was fetched again
	Reconciled int64           // events that only reconciliation found
	Copies     int64           // events that reconciliation handed over again since it could not tell which were missing
	Counts     int64           // requests for a count of events
	Mismatches int64           // stretches of time of which the endpoint counts more events than it exports
	SetAside   int64           // events that an output refused for good and that were kept aside

	Lateness Histogram // see Table

	Up       bool // the last request succeeded
	Stalled  bool // nothing has gone on for stalled_after
	Held     bool // nothing is handed over: the engine has paused the input, or drains
	Backfill bool // more is read than usual polls ever have

	BackfillRatio  float64 // of the backfill's time that is read, from 0 to 1; 1 without one
	WaitingBatches int64   // made, and not safe yet
	RefusedEvents  int64   // kept aside now
	RowLimit       int64   // rows that the endpoint answers at most without saying so; 0 = none is known

	LagSeconds           float64 // from the checkpoint to the server's present
	RetentionLeftSeconds float64 // until the endpoint drops what the checkpoint has not passed; less than 0 = it has
	OverlapSeconds       float64
	WindowSeconds        float64 // of the next request at most
	CredentialAgeSeconds float64 // see Table

	ThroughSeconds    float64 // the checkpoint
	LastSuccess       float64 // when a request was answered last, by the local clock
	LastCommit        float64 // when the checkpoint was saved last, likewise
	LastEvent         float64 // the newest event_time that was handed over
	CredentialExpires float64

	Version string
	Schema  string
}

// Requests is how many have ended.
func (s Stats) Requests() (n int64) {
	for _, of := range s.Outcomes {
		n += of
	}
	return n
}

// Seconds are nanoseconds since 1970 in seconds, to the millisecond: more says nothing.
func Seconds(nanoseconds int64) float64 { return math.Round(float64(nanoseconds)/1e6) / 1e3 }

// TimeOf is the time of a figure in Unix seconds; 0 is the zero time.
func TimeOf(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(seconds * 1e3))).UTC()
}
