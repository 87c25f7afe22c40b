// Package health answers who asks whether the plugin works: orchestrators at /livez and /readyz, people and tools at
// /status, Prometheus at /metrics. It knows no secret, and shows texts only as they are logged.
package health

import "time"

// The paths that are answered.
const (
	LivePath    = "/livez"
	ReadyPath   = "/readyz"
	StatusPath  = "/status"
	MetricsPath = "/metrics"
)

// Report is what StatusPath answers, and in short what LivePath and ReadyPath do.
type Report struct {
	Version   string     `json:"version"`
	Alive     bool       `json:"alive"` // all instances are
	Ready     bool       `json:"ready"` // likewise
	Instances []Instance `json:"instances"`
}

// Instance is one [INPUT] section. Times that are not known are left out.
type Instance struct {
	Name   string `json:"name"`
	Alive  bool   `json:"alive"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"` // why it is not alive, or not ready

	Organization string `json:"organization,omitempty"` // as set

	Endpoint   string `json:"endpoint"`
	Schema     string `json:"schema"`
	CommitOn   string `json:"commit_on"`
	Checkpoint string `json:"checkpoint"` // the file

	Started     time.Time `json:"started"`       // this run
	From        time.Time `json:"from,omitzero"` // where the collection began
	Through     time.Time `json:"through"`       // everything up to there is safe
	LagSeconds  float64   `json:"lag_seconds"`   // from there to the server's present
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastCommit  time.Time `json:"last_commit,omitzero"`
	LastEvent   time.Time `json:"last_event,omitzero"`
	NextTry     time.Time `json:"next_try,omitzero"` // of the next request, if one is waited for
	LastError   *Failure  `json:"last_error,omitempty"`

	Stalled        bool      `json:"stalled"`
	Complete       bool      `json:"complete"` // end_time is reached, and all is safe
	Held           bool      `json:"hold"`
	WaitingBatches int64     `json:"waiting_batches"`
	RefusedEvents  int64     `json:"refused_events"`
	Backfill       *Backfill `json:"backfill,omitempty"`
	Proof          Proof     `json:"proof"`

	CredentialSince   time.Time `json:"credential_since,omitzero"`
	CredentialExpires time.Time `json:"credential_expires,omitzero"`
}

// Failure is the last thing that went wrong.
type Failure struct {
	Text     string    `json:"text"`
	Outcome  string    `json:"outcome"` // retried, shrunk or refused: what becomes of it
	Cause    string    `json:"cause"`   // as in the status event stalled
	At       time.Time `json:"at"`
	Failures int       `json:"failures"`       // in a row; 0 = it is over
	Since    time.Time `json:"since,omitzero"` // of the first of them
}

// Backfill is one that is under way.
type Backfill struct {
	Ratio float64 `json:"ratio"` // of its time that is read, from 0 to 1
}

// Proof is what is known of completeness.
type Proof struct {
	Hours          int            `json:"hours"`                    // for which the checkpoint has digests
	Events         int64          `json:"events"`                   // in these
	HoursSince     time.Time      `json:"hours_since,omitzero"`     // before that there are none
	Reconciled     time.Time      `json:"reconciled,omitzero"`      // end of the last pass
	DeepReconciled time.Time      `json:"deep_reconciled,omitzero"` // the deep pass under way has compared up to there
	DeepBegan      time.Time      `json:"deep_began,omitzero"`
	RowLimit       int64          `json:"row_limit"` // 0 = no silent limit is known
	CountWitness   string         `json:"count_witness"`
	Mismatches     int64          `json:"count_mismatches"`
	Windows        map[string]int `json:"windows"` // read since the start, by the most that shows them to be whole
}

// View is what only the collecting goroutine knows, as it was when it said so last. It is never changed.
type View struct {
	From     time.Time
	NextTry  time.Time
	Complete bool
	Failure  *Failure
	Proof    Proof                            // without what Totals and the figures say
	Totals   func() (hours int, events int64) // may be called by any goroutine
}

// Freshness is how long an instance may be without an answer and still be ready: poll_interval and stalled_after.
type Freshness struct{ PollInterval, StalledAfter time.Duration }

// callLimit is how long the engine may not call collect.
const callLimit = time.Minute

// Judge fills in Alive, Ready and Reason. silent is for how long the engine has not called, collecting says that the
// collecting goroutine runs. Freshness is no matter of life: a restart heals no source.
func (in *Instance) Judge(now time.Time, silent time.Duration, collecting bool, f Freshness) {
	in.Alive, in.Ready, in.Reason = true, true, ""
	age := now.Sub(in.LastSuccess)
	switch {
	case !collecting:
		in.Alive, in.Reason = false, "the collecting goroutine has ended"
	case silent > callLimit:
		in.Alive, in.Reason = false, "Fluent Bit has not called the input for "+silent.Round(time.Second).String()
	case in.Complete:
		return
	case in.LastSuccess.IsZero() && in.LastError == nil:
		in.Reason = "no request has been answered yet"
	case in.LastSuccess.IsZero():
		in.Reason = "no request has been answered yet: " + in.LastError.Text
	case in.Stalled && in.LastError != nil && in.LastError.Failures > 0:
		in.Reason = "stalled: " + in.LastError.Text
	case in.Stalled:
		in.Reason = "stalled: what was handed over is not known to be safe"
	case age > f.PollInterval+f.StalledAfter && in.LastError != nil && in.LastError.Failures > 0:
		in.Reason = "no request has been answered for " + age.Round(time.Second).String() + ": " + in.LastError.Text
	case age > f.PollInterval+f.StalledAfter:
		in.Reason = "no request has been answered for " + age.Round(time.Second).String()
	}
	in.Ready = in.Reason == ""
}
