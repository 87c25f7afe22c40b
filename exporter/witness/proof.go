package witness

import (
	"fmt"
	"strings"
)

// Proof is what shows that an answer has everything. A later one shows more than those before it.
type Proof int

const (
	Repeated   Proof = iota // it came twice, since HTTP does not say where it ends
	Framed                  // HTTP says where it ends, and it came to that end
	Halved                  // its two halves had no more than it
	Counted                 // it has as many events as the endpoint counts
	Mismatched              // it has fewer, halves did not help, and that was told
	proofs
)

var proofTexts = [proofs]string{
	Repeated:   "two equal answers",
	Framed:     "HTTP's framing",
	Halved:     "halves that agreed",
	Counted:    "a count that agreed",
	Mismatched: "a count that did not agree",
}

// proofWords are names for machines.
var proofWords = [proofs]string{
	Repeated: "repeated", Framed: "framed", Halved: "halved", Counted: "counted", Mismatched: "mismatched",
}

// String names the proof.
func (p Proof) String() string { return proofTexts[p] }

// Proofs counts windows by the most that is known of each.
type Proofs struct {
	now     Proof
	windows [proofs]int
	all     [proofs]int // never taken
}

// Begin is about a new window, whose answer came to the end that HTTP says, or twice.
func (p *Proofs) Begin(framed bool) {
	p.now = Repeated
	if framed {
		p.now = Framed
	}
}

// Now returns the most that is known of the window.
func (p *Proofs) Now() Proof { return p.now }

// Add notes more of the window.
func (p *Proofs) Add(proof Proof) { p.now = max(p.now, proof) }

// End counts the window, which was read.
func (p *Proofs) End() {
	p.windows[p.now]++
	p.all[p.now]++
}

// Windows returns the numbers of windows since the start by what is known of them, in one word or two.
func (p *Proofs) Windows() map[string]int {
	numbers := make(map[string]int, proofs)
	for proof, n := range p.all {
		numbers[proofWords[proof]] = n
	}
	return numbers
}

// Take returns the numbers of windows since the last call in words.
func (p *Proofs) Take() string {
	var texts []string
	for proof := proofs - 1; proof >= 0; proof-- {
		if n := p.windows[proof]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d by %s", n, proof))
		}
	}
	p.windows = [proofs]int{}
	return "windows read whole: " + strings.Join(texts, ", ")
}
