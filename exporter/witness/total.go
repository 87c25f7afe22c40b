package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// errNoCount is an answer that is no page of events with a total.
var errNoCount = errors.New("the answer has no count in it")

// Total reads the number of events out of an answer. The OpenAPI document requires items and total there; whatever
// lacks one of them, or has a total that is no number of events, is another thing.
func Total(body []byte) (int64, error) {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(body, &members) != nil || json.Unmarshal(members["items"], &items) != nil || items == nil {
		return 0, errNoCount
	}
	total, err := strconv.ParseUint(string(bytes.TrimSpace(members["total"])), 10, 63)
	if err != nil || total < uint64(len(items)) {
		return 0, errNoCount
	}
	return int64(total), nil
}
