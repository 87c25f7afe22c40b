package exportertest

import (
	"math/rand/v2"
	"time"
)

// Chaos makes requests go wrong at random: shares from 0 to 1, together at most 1. The same seed gives the
// same faults in the same order.
type Chaos struct {
	Seed int64
	Fail float64 // answers with one of all the failures that there are
	Cut  float64 // breaks in the middle
	Hang float64 // never answers, or stops answering
	Drip float64 // answers slowly
	Ill  float64 // answers with 200 what is not as it should be, in each way that shows itself; see Ills
}

type chaos struct {
	Chaos
	random *rand.Rand
}

// SetChaos makes requests go wrong from now on; the zero Chaos ends it.
func (s *Server) SetChaos(c Chaos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = nil
	if c != (Chaos{}) {
		s.chaos = &chaos{c, rand.New(rand.NewPCG(uint64(c.Seed), 7))}
	}
}

// chaosFaults are the failures of every class.
var chaosFaults = []Fault{
	// retry
	{Status: 500},
	{Status: 502, HTML: true},
	{Status: 503, RetryAfter: "1"},
	{Status: 429, RetryDate: time.Second},
	{Status: 408},
	{Status: 409},
	{Status: 425},
	{Status: 413},
	{Status: 400, Code: "REQUEST_ENTITY_TOO_LARGE"},
	{Status: 504, Code: "TIMEOUT_ERROR"}, // shrink
	{Status: 401},
	{Status: 403},
	{Status: 404},
	{Status: 400},
	{Status: 422}, // refused
	{HTML: true},
	{JSONError: true},
	{EmptyBody: true},
	{Reset: true}, // no export
}

func (c *chaos) draw() Fault {
	switch n := c.random.Float64(); {
	case n < c.Fail:
		return chaosFaults[c.random.IntN(len(chaosFaults))]
	case n < c.Fail+c.Cut:
		return Fault{CutAfter: c.place()}
	case n < c.Fail+c.Cut+c.Hang:
		if c.random.IntN(2) == 0 {
			return Fault{StallAfter: c.place()}
		}
		return Fault{Hang: true}
	case n < c.Fail+c.Cut+c.Hang+c.Drip:
		return Fault{Drip: time.Millisecond}
	case n < c.Fail+c.Cut+c.Hang+c.Drip+c.Ill:
		ill := overtIlls[c.random.IntN(len(overtIlls))]
		return Fault{Name: ill.Name, Change: ill.sized(1 + c.random.IntN(MostSize))}
	default:
		return Fault{}
	}
}

// place draws where an answer breaks: the header, the first rows, or far behind, each as likely as the others.
func (c *chaos) place() int {
	most := 1 << (4 + c.random.IntN(14)) // 16 bytes to 128 KiB
	return 1 + c.random.IntN(most)
}
