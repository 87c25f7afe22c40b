package checkpoint

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// formatVersion counts changes of the file that an older version of this package would misread.
const formatVersion = 1

// head is the part of the file that people read. The binary fields and the checksum follow it, in the order of State.
type head struct {
	Format     int        `json:"format"`
	Source     headSource `json:"source"`
	Through    string     `json:"through"` // RFC 3339 in UTC, to the nanosecond, or never; so are the other times
	From       string     `json:"from"`
	Reconciled string     `json:"reconciled"`
	SavedAt    string     `json:"saved_at"`     // for people only
	SavedByPID int        `json:"saved_by_pid"` // for people only
	Columns    []string   `json:"columns"`
	Unsure     string     `json:"unsure,omitempty"`
	Behind     string     `json:"behind,omitempty"` // as Go writes durations
	Start      string     `json:"start,omitempty"`  // see State.Start
	Volatile   []string   `json:"volatile,omitempty"`
	SharedIDs  []string   `json:"shared_ids,omitempty"`
	RowLimit   int        `json:"row_limit,omitempty"`
	Deep       string     `json:"deep,omitempty"`       // see State.Deep
	DeepBegan  string     `json:"deep_began,omitempty"` // likewise
	Overlap    string     `json:"overlap,omitempty"`    // see State.Overlap; as Go writes durations
	Floor      string     `json:"floor,omitempty"`
	Moves      []Move     `json:"moves,omitempty"`
}

type headSource struct {
	Endpoint   string `json:"endpoint"`
	SearchTerm string `json:"search_term"`
}

// whole is the file.
type whole struct {
	head
	Key      blob   `json:"key"`
	Minutes  blob   `json:"minutes"`
	Seen     blob   `json:"seen"`
	Strays   blob   `json:"strays"`   // may be missing
	Hours    blob   `json:"hours"`    // likewise
	Checksum string `json:"checksum"` // of every byte before it
}

// never stands for the zero time. A missing time is a damaged file.
const never = "never"

// blob is a binary field. It keeps its error so that the message can name the field.
type blob struct {
	data    []byte
	present bool
	err     error
}

// UnmarshalText decodes base64.
func (b *blob) UnmarshalText(text []byte) error {
	b.present = true
	b.data, b.err = base64.StdEncoding.Strict().AppendDecode(nil, text)
	return nil
}

// encode writes the file to w. It streams: identities of a busy overlap take megabytes, and base64, JSON and
// indentation would each copy them.
func encode(w io.Writer, source Source, state State, now time.Time) error {
	sum := xxh3.New()
	out := bufio.NewWriterSize(w, 64<<10)
	summed := io.MultiWriter(out, sum)

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(head{
		Format: formatVersion, Source: headSource(source),
		Through: formatTime(state.Through), From: formatTime(state.From), Reconciled: formatTime(state.Reconciled),
		SavedAt: formatTime(now), SavedByPID: os.Getpid(), Columns: append([]string{}, state.Columns...),
		Unsure:    optionalTime(state.Unsure),
		Behind:    optionalDuration(state.Behind),
		Volatile:  state.Volatile,
		Start:     state.Start,
		SharedIDs: state.SharedIDs,
		RowLimit:  state.RowLimit,
		Deep:      optionalTime(state.Deep),
		DeepBegan: optionalTime(state.DeepBegan),
		Overlap:   optionalDuration(state.Overlap),
		Floor:     optionalTime(state.Floor),
		Moves:     utcMoves(state.Moves),
	})
	if err != nil {
		return err
	}
	// The binary fields join the object, so its closing brace is left for the end. bufio keeps the first
	// error for Flush.
	_, _ = summed.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n}\n")))
	encodeBlob(summed, "key", state.Key)
	encodeBlob(summed, "minutes", state.Minutes)
	encodeBlob(summed, "seen", state.Seen)
	if len(state.Strays) > 0 {
		encodeBlob(summed, "strays", state.Strays)
	}
	if len(state.Hours) > 0 {
		encodeBlob(summed, "hours", state.Hours)
	}
	_, _ = out.WriteString(trailer(sum.Sum64()))
	return out.Flush()
}

func encodeBlob(w io.Writer, name string, data []byte) {
	fmt.Fprintf(w, ",\n  %q: \"", name)
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	_, _ = encoder.Write(data)
	encoder.Close()
	io.WriteString(w, `"`)
}

const trailerStart = ",\n  \"checksum\": \""

// trailer is the end of the file: the checksum of everything before it.
func trailer(sum uint64) string { return fmt.Sprintf("%s%016x\"\n}\n", trailerStart, sum) }

func formatTime(t time.Time) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func optionalTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

func optionalDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// errNoCheckpoint says that the file is some other one.
var errNoCheckpoint = errors.New("is not a checkpoint")

// errNewer says that the file is of a later version of this package.
var errNewer = errors.New("written by a newer version")

// decode reads what encode wrote and nothing else. Its errors complete "<path> …".
func decode(data []byte) (Source, State, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return Source{}, State{}, errors.New("is empty")
	}
	if err := decodeFormat(data); err != nil {
		return Source{}, State{}, err
	}
	var file whole
	if err := json.Unmarshal(data, &file); err != nil {
		return Source{}, State{}, fmt.Errorf("is damaged: %w", plain(err))
	}
	state, err := file.state()
	if err != nil {
		return Source{}, State{}, fmt.Errorf("is damaged: %w", err)
	}
	if err := checkSum(data); err != nil {
		return Source{}, State{}, err
	}
	return Source{file.Source.Endpoint, file.Source.SearchTerm}, state, nil
}

// decodeFormat looks at the version only: in another version everything else may have another type.
func decodeFormat(data []byte) error {
	var version struct{ Format *int }
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(data, &version); {
	case errors.As(err, &syntax) && isCut(data):
		return fmt.Errorf("is cut off after %d bytes", len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: %w at byte %d", errNoCheckpoint, err, syntax.Offset)
	case err != nil:
		return fmt.Errorf("%w: %w", errNoCheckpoint, plain(err))
	case version.Format == nil:
		return fmt.Errorf(`%w: it has no "format"`, errNoCheckpoint)
	case *version.Format > formatVersion:
		return fmt.Errorf(
			"was %w of this plugin: its format is %d, this version knows %d", errNewer, *version.Format,
			formatVersion,
		)
	case *version.Format < formatVersion:
		return fmt.Errorf("is damaged: there is no format %d", *version.Format)
	}
	return nil
}

// plain rewords what package json says about types: an operator does not know Go's.
func plain(err error) error {
	var mismatch *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &mismatch):
		return err
	case mismatch.Field == "":
		return fmt.Errorf("it is a JSON %s", mismatch.Value)
	}
	return fmt.Errorf("its %q cannot be a JSON %s", strings.TrimPrefix(mismatch.Field, "head."), mismatch.Value)
}

// isCut reports whether data is the beginning of a JSON value.
func isCut(data []byte) bool {
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(data)).Decode(&value), io.ErrUnexpectedEOF)
}

// state converts the fields and validates them.
func (w *whole) state() (State, error) {
	s := State{Columns: w.Columns, Volatile: w.Volatile, SharedIDs: w.SharedIDs, RowLimit: w.RowLimit, Start: w.Start}
	s.Moves = utcMoves(w.Moves)
	for _, field := range []struct {
		name, text string
		to         *time.Duration
	}{
		{"overlap", w.Overlap, &s.Overlap},
		{"behind", w.Behind, &s.Behind},
	} {
		var err error
		if *field.to, err = time.ParseDuration(cmp.Or(field.text, "0s")); err != nil {
			return State{}, fmt.Errorf("its %s is %q, which is no duration", field.name, field.text)
		}
	}
	if len(s.Columns) == 0 {
		s.Columns = nil
	}
	for _, field := range []struct {
		name, text string
		to         *time.Time
	}{
		{"through", w.Through, &s.Through},
		{"from", w.From, &s.From},
		{"reconciled", w.Reconciled, &s.Reconciled},
		{"unsure", cmp.Or(w.Unsure, never), &s.Unsure},
		{"deep", cmp.Or(w.Deep, never), &s.Deep},
		{"deep_began", cmp.Or(w.DeepBegan, never), &s.DeepBegan},
		{"floor", cmp.Or(w.Floor, never), &s.Floor},
	} {
		var err error
		if *field.to, err = parseTime(field.text); err != nil {
			return State{}, fmt.Errorf("its time %q %w", field.name, err)
		}
	}
	for _, field := range []struct {
		name string
		from blob
		to   *[]byte
	}{
		{"key", w.Key, &s.Key},
		{"minutes", w.Minutes, &s.Minutes},
		{"seen", w.Seen, &s.Seen},
		{"strays", w.Strays, &s.Strays},
		{"hours", w.Hours, &s.Hours},
	} {
		switch {
		case !field.from.present && (field.name == "strays" || field.name == "hours"):
		case !field.from.present:
			return State{}, fmt.Errorf("its %q is missing", field.name)
		case field.from.err != nil:
			return State{}, fmt.Errorf("its %q is no base64: %w", field.name, field.from.err)
		}
		*field.to = field.from.data
	}
	return s, s.validate()
}

func parseTime(text string) (time.Time, error) {
	switch text {
	case "":
		return time.Time{}, errors.New("is missing")
	case never:
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("is %q, not RFC 3339", text)
	}
	return t.UTC(), nil
}

// checkSum finds changes that leave the JSON whole, in a binary field above all.
func checkSum(data []byte) error {
	end := bytes.LastIndex(data, []byte(trailerStart))
	if end < 0 {
		return errors.New("is damaged: it has no checksum at its end")
	}
	if string(data[end:]) != trailer(xxh3.Hash(data[:end])) {
		return errors.New("was damaged or edited: its checksum does not fit")
	}
	return nil
}
