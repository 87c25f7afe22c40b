package exportertest

import (
	"math/rand/v2"
	"time"
)

// Oddity makes an event odd: what a service files, dates or writes wrongly.
type Oddity struct {
	Name string
	make func(*Event)
}

// Oddities are all there are. The endpoint shows and files each of these events at its old time.
var Oddities = []Oddity{
	{"no id", func(e *Event) { e.ID = "None" }},
	{"dated 2100", func(e *Event) { e.date(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)) }},
	{"dated 2999", func(e *Event) { e.date(time.Date(2999, 12, 31, 0, 0, 0, 0, time.UTC)) }},
	{"dated year 1", func(e *Event) { e.date(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)) }},
	{"dated two hours ago", func(e *Event) { e.date(e.Time.Add(-2 * time.Hour)) }},
	{"one comma too many", func(e *Event) { e.Flaw = ExtraComma }},
	{"open quote", func(e *Event) { e.Flaw = OpenQuote }},
	{"quote first", func(e *Event) { e.UserAgent = `"evil` }},
}

// Make returns the event with the oddity.
func (o Oddity) Make(e Event) Event {
	o.make(&e)
	return e
}

// date gives the event another time than the one that it is filed under.
func (e *Event) date(t time.Time) { e.Filed, e.Time = e.filed(), t }

// MakeOdd makes a share of events odd, each in one way, and always the same ones for a seed.
func MakeOdd(seed int64, share float64, events []Event) {
	random := rand.New(rand.NewPCG(uint64(seed), 3))
	for i := range events {
		if random.Float64() < share {
			events[i] = Oddities[random.IntN(len(Oddities))].Make(events[i])
		}
	}
}

// Withhold makes n events, spread evenly, invisible until a time of the server's clock, however old
// they are by then.
func Withhold(n int, until time.Time, events []Event) {
	n = min(n, len(events))
	for i := range n {
		events[i*len(events)/n].Visible = until
	}
}

// Flaw is what is wrong with the row of an event, in each answer that has it.
type Flaw int

const (
	Flawless   Flaw = iota
	ExtraComma      // one comma too many at its end
	OpenQuote       // its last field begins with a quote that nobody closes
)

// appendFlawed writes a row with its flaw.
func (a *Answers) appendFlawed(b []byte, fields []string, end string, flaw Flaw) []byte {
	switch flaw {
	case ExtraComma:
		return append(append(a.appendRow(b, fields, ""), ','), end...)
	case OpenQuote:
		last := len(fields) - 1
		if last > 0 {
			b = a.appendRow(b, fields[:last], ",")
		}
		return append(append(append(b, '"'), fields[last]...), end...)
	default:
		return a.appendRow(b, fields, end)
	}
}
