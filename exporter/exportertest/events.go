package exportertest

import (
	"encoding/json"
	"strings"
	"time"
)

// Event is one audit event; an empty field is null.
type Event struct {
	ID            string
	Time          time.Time
	Action        string
	UserID        string
	UserName      string
	UserAgent     string
	SourceIP      string
	ResourceName  string
	ResourceID    string
	ComputeRegion string
	ClientChain   string
	SourceClient  string
	Visible       time.Time // when it appears in the export, by the server's clock; zero = at Filed
	Filed         time.Time // what the endpoint's filter goes by; zero = Time
	Flaw          Flaw      // of its row
}

// ColumnNames are the columns of the export, by their snake_case names.
var ColumnNames = []string{
	"event_id", "event_time", "action_name", "user_id", "user_name", "user_agent",
	"source_ip", "resource_name", "resource_id", "compute_region", "client_chain", "source_client",
}

// appears is when the export shows the event. An event can be dated later than that: its clock ran ahead.
func (e *Event) appears() time.Time {
	if e.Visible.IsZero() {
		return e.filed()
	}
	return e.Visible
}

// filed is the time that windows are compared with.
func (e *Event) filed() time.Time {
	if e.Filed.IsZero() {
		return e.Time
	}
	return e.Filed
}

// Fields returns the texts of ColumnNames, "" for null; the time is in LayoutMicros.
func (e *Event) Fields() [12]string {
	return [12]string{
		e.ID, e.Time.UTC().Format(LayoutMicros), e.Action, e.UserID, e.UserName, e.UserAgent,
		e.SourceIP, e.ResourceName, e.ResourceID, e.ComputeRegion, e.ClientChain, e.SourceClient,
	}
}

// matches is the endpoint's search: a substring of any field, upper and lower case told apart.
func (e *Event) matches(term string) bool {
	if term == "" {
		return true
	}
	for _, field := range e.Fields() {
		if strings.Contains(field, term) {
			return true
		}
	}
	return false
}

// MarshalJSON writes the columns that are not null.
func (e Event) MarshalJSON() ([]byte, error) {
	object := make(map[string]string)
	for i, text := range e.Fields() {
		if text != "" {
			object[ColumnNames[i]] = text
		}
	}
	return json.Marshal(object)
}
