package verify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
)

// IDs are the event_ids that a SIEM has, as hashes: nine bytes each.
type IDs struct {
	hashes []uint64 // sorted, each once
	found  []bool   // in the export
	list   io.Reader
	begin  int64 // of the list; -1 = it cannot be read twice
}

const (
	longestID    = 1 << 20 // bytes of a line
	mostExamples = 20      // extra ids that are named
)

// ReadIDs reads a list of event_ids, one a line, or JSON objects, one a line, that have one as a SIEM's export or a
// record has it (see idKeys). Quotes and white space around one do not matter, nor do empty lines, order, copies, or a
// first line that says event_id, as CSV has. If the list can be read twice (io.Seeker), what is in it and not in the
// export is named.
func ReadIDs(list io.Reader) (*IDs, error) {
	ids := &IDs{list: list, begin: -1}
	if seeker, ok := list.(io.Seeker); ok {
		if at, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			ids.begin = at
		}
	}
	err := eachID(list, func(id []byte) bool {
		ids.hashes = append(ids.hashes, dedup.PublishedID(id))
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(ids.hashes)
	ids.hashes = slices.Clip(slices.Compact(ids.hashes))
	ids.found = make([]bool, len(ids.hashes))
	return ids, nil
}

// eachID calls f for each id of a list until it returns false.
func eachID(list io.Reader, f func(id []byte) bool) error {
	lines := bufio.NewScanner(list)
	lines.Buffer(make([]byte, 0, 64<<10), longestID)
	for number := 1; lines.Scan(); number++ {
		id := bytes.Trim(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")), "\"' \t\r")
		if len(id) > 0 && id[0] == '{' {
			var err error
			if id, err = idOf(id); err != nil {
				return fmt.Errorf("line %d of the list of event_ids: %w", number, err)
			}
		}
		if len(id) == 0 || number == 1 && string(id) == "event_id" {
			continue
		}
		if !f(id) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the list of event_ids cannot be read: %w", err)
	}
	return nil
}

// idKeys are where a JSON object may have an event's id, the first that it has counts: a record in raw, ecs and ocsf; a
// hit of Elasticsearch or OpenSearch, whose _id it is; a result of Splunk, or a hit with its _source.
var idKeys = [][]string{
	{"event_id"},
	{"event.id"},
	{"event", "id"},
	{"metadata.uid"},
	{"metadata", "uid"},
	{"_id"},
	{"result", "event_id"},
	{"_source", "event", "id"},
	{"_source", "event_id"},
}

// errNoID is a JSON object that has no id of an event.
var errNoID = errors.New("a JSON object without event_id, event.id, metadata.uid or _id")

// idOf returns the id that a JSON object has.
func idOf(line []byte) ([]byte, error) {
	var object map[string]any
	if err := json.Unmarshal(line, &object); err != nil {
		return nil, err
	}
	for _, path := range idKeys {
		var at any = object
		for _, key := range path {
			inner, _ := at.(map[string]any)
			at = inner[key]
		}
		if id, ok := at.(string); ok && id != "" {
			return []byte(id), nil
		}
	}
	return nil, errNoID
}

// has reports whether the list has an id.
func (x *IDs) has(hash uint64) bool {
	_, listed := slices.BinarySearch(x.hashes, hash)
	return listed
}

// mark notes that the export has an id, and reports whether the list has it too.
func (x *IDs) mark(hash uint64) bool {
	at, listed := slices.BinarySearch(x.hashes, hash)
	if listed {
		x.found[at] = true
	}
	return listed
}

// extra is how many ids the export does not have, and the first of them if the list can be read again.
func (x *IDs) extra() (n int, examples []string, err error) {
	for _, found := range x.found {
		if !found {
			n++
		}
	}
	if n == 0 || x.begin < 0 {
		return n, nil, nil
	}
	if _, err := x.list.(io.Seeker).Seek(x.begin, io.SeekStart); err != nil {
		return n, nil, fmt.Errorf("the list of event_ids cannot be read again: %w", err)
	}
	err = eachID(x.list, func(id []byte) bool {
		at, listed := slices.BinarySearch(x.hashes, dedup.PublishedID(id))
		if listed && !x.found[at] && !slices.Contains(examples, string(id)) {
			examples = append(examples, string(id))
		}
		return len(examples) < mostExamples
	})
	return n, examples, err
}
