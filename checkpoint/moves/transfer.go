package moves

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// document is a checkpoint on its way to another machine, with the events that are kept aside beside it.
type document struct {
	Kind       string               `json:"kind"`
	Version    int                  `json:"version"`
	ExportedAt time.Time            `json:"exported_at"`
	ExportedBy string               `json:"exported_by"`
	Endpoint   string               `json:"endpoint"`
	SearchTerm string               `json:"search_term"`
	Through    time.Time            `json:"through"`
	Refused    []checkpoint.Refused `json:"refused"`
	Checkpoint string               `json:"checkpoint"` // its file, as it is
	SHA256     string               `json:"sha256"`     // of Checkpoint, and of Refused as JSON
}

const (
	documentKind    = "wherobots_audit checkpoint"
	documentVersion = 1
)

// Exported says what an export has, or what an import brought.
type Exported struct {
	Source  checkpoint.Source `json:"source"`
	Through time.Time         `json:"through"`
	Refused int               `json:"refused"`              // events that are kept aside
	Holder  string            `json:"used_by,omitempty"`    // the process that uses the checkpoint, "" = none
	Before  *time.Time        `json:"replaced,omitempty"`   // where the checkpoint stood that an import replaced
	Unread  int               `json:"unreadable,omitempty"` // lines of the events kept aside that cannot be read
}

// Export writes the checkpoint at path as one portable JSON document, with the events that are kept aside. It may run
// beside the process that uses it: then the document is what was true at that moment. version is that of the program.
func Export(w io.Writer, path, version string, now time.Time) (out Exported, err error) {
	from, state, holder, err := checkpoint.ReadExisting(path)
	if err != nil {
		return out, err
	}
	aside, unread, err := checkpoint.ReadAside(path)
	if err != nil {
		return out, err
	}
	var text bytes.Buffer
	if err := checkpoint.Encode(&text, from, state); err != nil {
		return out, err
	}
	doc := document{
		Kind: documentKind, Version: documentVersion, ExportedAt: now.UTC().Truncate(time.Second), ExportedBy: version,
		Endpoint: from.Endpoint, SearchTerm: from.SearchTerm, Through: state.Through,
		Refused: append([]checkpoint.Refused{}, aside...), Checkpoint: text.String(),
	}
	if doc.SHA256, err = doc.sum(); err != nil {
		return out, err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return Exported{
		Source: from, Through: state.Through, Refused: len(aside), Holder: holder, Unread: unread,
	}, encoder.Encode(doc)
}

func (d *document) sum() (string, error) {
	refused, err := json.Marshal(d.Refused)
	sum := sha256.Sum256(append([]byte(d.Checkpoint), refused...))
	return hex.EncodeToString(sum[:]), err
}

// ErrDamaged is a document that is not what Export wrote.
var ErrDamaged = errors.New("this is no export of a checkpoint, or it is damaged")

const longestDocument = 1 << 30 // bytes

// Import reads what Export wrote and puts it at path, under the lock. A checkpoint that is there already is replaced
// only if replace says so, and one that stands earlier only if accept says that what lies between may be left out.
func Import(r io.Reader, path string, replace, accept bool, now time.Time) (out Exported, err error) {
	doc, from, state, err := read(r)
	if err != nil {
		return out, err
	}
	give := keepOwner(path)
	file, err := checkpoint.OpenWaiting(path, from, nil)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, give(), file.Close()) }()
	out = Exported{Source: from, Through: state.Through, Refused: len(doc.Refused)}
	here, found := file.State()
	switch begun := found && !here.Through.IsZero(); {
	case begun && !replace:
		return out, fmt.Errorf("%w: there is a checkpoint at %s already, which stands at %s; to replace it say --replace",
			ErrNotAllowed, path, stamp(here.Through))
	case begun && state.Through.After(here.Through) && !accept:
		return out, fmt.Errorf("%w: the checkpoint at %s stands at %s, the one to import at %s; what happened between and "+
			"was not collected elsewhere would never be; if it was, say --accept-gap",
			ErrWouldLose, path, stamp(here.Through), stamp(state.Through))
	case state.Through.After(now.Add(time.Hour)):
		return out, fmt.Errorf("%w: it stands at %s, in the future by this machine's clock",
			ErrNotAllowed, stamp(state.Through))
	case !state.Through.IsZero() && state.Through.Before(now.Add(-source.Retention)) && !accept:
		return out, fmt.Errorf("%w: it stands at %s, and the endpoint keeps events for 90 days; the plugin would go on and "+
			"tell the gap; if that is meant, say --accept-gap", ErrWouldLose, stamp(state.Through))
	case begun:
		out.Before = &here.Through
	}
	// First what the checkpoint has passed: a crash before it is saved then loses nothing.
	aside, err := file.OpenAside()
	if err != nil {
		return out, err
	}
	for _, event := range doc.Refused {
		if _, err := aside.Keep(event); err != nil {
			return out, err
		}
	}
	return out, file.Save(state)
}

// read reads a document and checks all of it.
func read(r io.Reader) (doc document, from checkpoint.Source, state checkpoint.State, err error) {
	bad := func(err error) (document, checkpoint.Source, checkpoint.State, error) {
		return doc, from, state, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	decoder := json.NewDecoder(io.LimitReader(r, longestDocument))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return bad(err)
	}
	if decoder.More() {
		return bad(errors.New("something follows it"))
	}
	sum, err := doc.sum()
	switch {
	case err != nil:
		return bad(err)
	case doc.Kind != documentKind:
		return bad(fmt.Errorf("its kind is %q, not %q", doc.Kind, documentKind))
	case doc.Version != documentVersion:
		return bad(fmt.Errorf("its version is %d; this program knows %d", doc.Version, documentVersion))
	case doc.Refused == nil || doc.SHA256 != sum:
		return bad(errors.New("its SHA-256 does not fit"))
	}
	if from, state, err = checkpoint.Decode([]byte(doc.Checkpoint)); err != nil {
		return bad(fmt.Errorf("its checkpoint %w", err))
	}
	if from != (checkpoint.Source{Endpoint: doc.Endpoint, SearchTerm: doc.SearchTerm}) ||
		!doc.Through.Equal(state.Through) {
		return bad(errors.New("it says something else than the checkpoint in it"))
	}
	for _, event := range doc.Refused {
		if len(event.Msgpack) == 0 {
			return bad(errors.New("an event that is kept aside has no record"))
		}
	}
	if err := storedOf(state).Check(state.Through); err != nil {
		return bad(err)
	}
	return doc, from, state, nil
}
