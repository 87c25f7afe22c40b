package exporter

import (
	"encoding/binary"

	"github.com/zeebo/xxh3" // hashes with a seed at a few ns a field; the standard library's fast hash (maphash) cannot be repeated after a restart
)

// identity tells events apart. Two rows are one event when both halves are equal; equal ids with different contents are two versions of one
// event, and both are forwarded. So an event could only be taken for another if 128 bits collided under a secret key.
type identity struct {
	id      uint64 // of event_id; without one, of all fields and the row's ordinal among equal rows of its response
	content uint64 // of all non-empty fields, whatever the order of the columns
}

// identifier makes the identities of one response's rows. The key is secret to the checkpoint, so that nobody who can choose, say, a user
// agent can make two rows look alike.
type identifier struct {
	key     uint64
	seeds   []uint64            // of each column: its name under the key
	eventID int                 // place of event_id, -1 without
	equal   map[identity]uint32 // how many equal rows without event_id this response had so far
}

func newIdentifier(key []byte) *identifier {
	return &identifier{key: xxh3.Hash(key) ^ binary.LittleEndian.Uint64(key)}
}

// begin prepares for a response with these columns.
func (x *identifier) begin(c *columns) {
	x.seeds = x.seeds[:0]
	for _, name := range c.names {
		x.seeds = append(x.seeds, xxh3.HashStringSeed(name, x.key))
	}
	x.eventID = c.known[colEventID]
	clear(x.equal)
}

// identify allocates nothing for a row with an event_id.
func (x *identifier) identify(r *row) identity {
	var who identity
	if r.bad != "" {
		who.content = xxh3.HashSeed(r.raw, x.key)
	} else {
		for i, field := range r.fields {
			if len(field) > 0 {
				who.content += xxh3.HashSeed(field, x.seeds[i])
			}
		}
	}
	if eventID := r.value(colEventID); len(eventID) > 0 {
		who.id = xxh3.HashSeed(eventID, x.key)
		return who
	}
	return x.ordinal(who)
}

// ordinal gives equal rows without an event_id identities of their own: the first, the second, … They are as many in each answer, whatever
// the order of its rows.
func (x *identifier) ordinal(who identity) identity {
	if x.equal == nil {
		x.equal = make(map[identity]uint32)
	}
	n := x.equal[who]
	x.equal[who] = n + 1
	who.id = who.content ^ x.key ^ uint64(n)*0x9e3779b97f4a7c15
	return who
}
