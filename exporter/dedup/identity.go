// Package dedup knows what was seen: the identity of an event, the set of those that may be read again, and
// digests of minutes by which reconciliation finds what is missing.
package dedup

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Identity tells events apart. Two rows are one event when both halves are equal; equal ids with different
// contents are two versions of one event, and both are forwarded. So an event could only be taken for another
// if 128 bits collided under a secret key.
type Identity struct {
	ID      uint64 // of event_id; without one, of all fields and the row's ordinal among equal rows of its response
	Content uint64 // of all non-empty fields, whatever the order of the columns
}

// Identifier makes the identities of one response's rows. The key is secret to the checkpoint, so that nobody
// who can choose, say, a user agent can make two rows look alike.
type Identifier struct {
	key     uint64
	seeds   []uint64            // of each column: its name under the key
	eventID int                 // place of event_id, -1 without
	equal   map[Identity]uint32 // how many equal rows without event_id this response had so far
}

func NewIdentifier(key []byte) *Identifier {
	return &Identifier{key: xxh3.Hash(key) ^ binary.LittleEndian.Uint64(key)}
}

// Begin prepares for a response with these columns.
func (x *Identifier) Begin(c *event.Columns) {
	x.seeds = x.seeds[:0]
	for _, name := range c.Names {
		x.seeds = append(x.seeds, xxh3.HashStringSeed(name, x.key))
	}
	x.eventID = c.Known[event.EventID]
	clear(x.equal)
}

// Identify allocates nothing for a row with an event_id.
func (x *Identifier) Identify(r *event.Row) Identity {
	var who Identity
	if r.Bad != "" {
		who.Content = xxh3.HashSeed(r.Raw, x.key)
	} else {
		for i, field := range r.Fields {
			if len(field) > 0 {
				who.Content += xxh3.HashSeed(field, x.seeds[i])
			}
		}
	}
	if eventID := r.Value(event.EventID); len(eventID) > 0 {
		who.ID = xxh3.HashSeed(eventID, x.key)
		return who
	}
	return x.ordinal(who)
}

// ordinal gives equal rows without an event_id identities of their own: the first, the second, … They are as
// many in each answer, whatever the order of its rows.
func (x *Identifier) ordinal(who Identity) Identity {
	if x.equal == nil {
		x.equal = make(map[Identity]uint32)
	}
	n := x.equal[who]
	x.equal[who] = n + 1
	who.ID = who.Content ^ x.key ^ uint64(n)*0x9e3779b97f4a7c15
	return who
}
