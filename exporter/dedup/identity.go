// Package dedup knows what was seen: the identity of an event, the set of those that may be read again, and
// digests of minutes by which reconciliation finds what is missing.
package dedup

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Identity tells events apart. Two rows are one event when both halves are equal; equal ids with different
// contents are two versions of one event, and both are forwarded. So an event could only be taken for another
// if 128 bits collided under a secret key.
type Identity struct {
	ID uint64 // of event_id; without one, of all fields and the row's ordinal among equal rows of its response
	// Of all non-empty fields of known columns, whatever their order. Others may change with each answer: they count
	// only where there is no event_id, and only if they do not.
	Content uint64
}

// Identifier makes the identities of one response's rows. The key is secret to the checkpoint, so that nobody
// who can choose, say, a user agent can make two rows look alike.
type Identifier struct {
	key   uint64
	seeds []uint64            // of each column: its name under the key
	equal map[Identity]uint32 // how many equal rows without event_id this response had so far

	volatility volatility
	shared     sharedIDs
}

func NewIdentifier(key []byte) *Identifier {
	return &Identifier{key: xxh3.Hash(key) ^ binary.LittleEndian.Uint64(key)}
}

// Volatile sets the columns that are known to be volatile, and who is told of further ones. Those that are not known
// to Columns alone can be.
func (x *Identifier) Volatile(columns []string, found func(column string)) {
	x.volatility.volatile = slices.Clone(columns)
	x.volatility.found = found
}

// Learned is how much was found out of what is no part of an event, so that other rows than before are the same.
func (x *Identifier) Learned() int { return len(x.volatility.volatile) + len(x.shared.ids) }

// Begin prepares for a response with these columns.
func (x *Identifier) Begin(c *event.Columns) {
	x.seeds = x.seeds[:0]
	for _, name := range c.Names {
		x.seeds = append(x.seeds, xxh3.HashStringSeed(name, x.key))
	}
	clear(x.equal)
	x.volatility.begin(c)
	x.shared.begin()
}

// Identify allocates nothing for a row with an event_id.
func (x *Identifier) Identify(r *event.Row) Identity {
	id, hasID := x.idOf(r)
	var who Identity
	switch {
	case r.Bad != "":
		who.Content = x.raw(r)
	case len(x.volatility.columns) > 0:
		return x.identifyAmongOthers(r, id, hasID)
	default:
		for i, field := range r.Fields {
			if len(field) > 0 {
				who.Content += xxh3.HashSeed(field, x.seeds[i])
			}
		}
	}
	if hasID {
		who.ID = id
		return who
	}
	return x.ordinal(who)
}

// idOf returns the hash of a row's event_id, if it has one.
func (x *Identifier) idOf(r *event.Row) (id uint64, ok bool) {
	text := r.Value(event.EventID)
	if len(text) == 0 || isPlaceholder(text) {
		return 0, false
	}
	id = xxh3.HashSeed(text, x.key)
	return id, !x.shared.isNone(id)
}

// identifyAmongOthers identifies a good row of an answer with columns that are not known.
func (x *Identifier) identifyAmongOthers(r *event.Row, id uint64, hasID bool) Identity {
	var known, all uint64
	for i, field := range r.Fields {
		if len(field) > 0 {
			all += xxh3.HashSeed(field, x.seeds[i])
		}
	}
	known = all
	v := &x.volatility
	for i := range v.columns {
		c := &v.columns[i]
		if field := r.Field(c.place); len(field) > 0 {
			known -= xxh3.HashSeed(field, x.seeds[c.place])
		}
	}
	if hasID {
		v.note(r, id, known, x.seeds)
		return Identity{ID: id, Content: known}
	}
	v.note(r, known, known, x.seeds)
	for i := range v.columns {
		c := &v.columns[i]
		if field := r.Field(c.place); len(field) > 0 && c.volatile {
			all -= xxh3.HashSeed(field, x.seeds[c.place])
		}
	}
	return x.ordinal(Identity{Content: all})
}

// raw is the content of a bad row: its text, but for the fields of volatile columns.
func (x *Identifier) raw(r *event.Row) (content uint64) {
	text := r.Raw
	for i := range x.volatility.columns {
		c := &x.volatility.columns[i]
		if field := r.Field(c.place); c.volatile && len(field) > 0 {
			if at := bytes.LastIndex(text, field); at >= 0 {
				content += xxh3.HashSeed(text[at+len(field):], x.seeds[c.place])
				text = text[:at]
			}
		}
	}
	return content + xxh3.HashSeed(text, x.key)
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
