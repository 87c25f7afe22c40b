package whole

// Proven knows how large the answers were that were shown to be whole. A larger one may be the first that is cut off,
// whatever the endpoint goes by: a number of rows, one of bytes, the length of the window, or how busy it is. The
// number of rows alone shows only a limit that is the same each time. Its zero value is ready.
type Proven struct {
	rows    int
	bytes   int64
	sampled int   // rows, and …
	weighed int64 // … bytes, of answers of which only parts were read again
	answers int   // that were judged
	asked   int   // of these, how many were suspect for being a little larger
	varies  int   // so many more answers are suspect whatever their size: limits of different rows were found
}

const (
	leastTaught      = 10  // rows from which on an answer that is examined can teach a limit
	firstLarger      = 3   // answers that are a little larger are suspect so often at first …
	answersPerLarger = 400 // … and then once in so many, since what grows slowly is larger each time
	firstVarying     = 100 // answers that have to be whole until a limit counts as the same each time …
	mostVarying      = 200 // … and after another one was found
)

// larger reports whether an answer is suspect for its size. There are few answers with a quarter more than any that
// was whole. careful says that the endpoint is known to leave rows out; slow, that what was only sampled is to be read
// again as a whole.
func (p *Proven) larger(got Reading, careful, slow bool) bool {
	if got.Rows < leastTaught || 2*got.inside < got.Rows { // rows of other times would be in each part, too
		return false
	}
	p.answers++
	rows, bytes := p.rows, p.bytes
	if !slow {
		rows, bytes = max(rows, p.sampled), max(bytes, p.weighed)
	}
	switch {
	case p.varies > 0:
		return true
	case got.Rows < LeastLimit:
		return false
	case got.Rows <= rows && got.Bytes <= bytes:
		return false
	case careful, got.Rows > rows+rows/4, got.Bytes > bytes+bytes/4:
		return true
	case p.asked >= firstLarger+p.answers/answersPerLarger:
		return false
	}
	p.asked++
	return true
}

// Honest notes an answer that was shown to be whole.
func (p *Proven) Honest(got Reading) {
	p.rows, p.bytes = max(p.rows, got.Rows), max(p.bytes, got.Bytes)
	p.varies = max(0, p.varies-1)
}

// Sampled notes an answer that lacked nothing that parts of it have.
func (p *Proven) Sampled(got Reading) {
	p.sampled, p.weighed = max(p.sampled, got.Rows), max(p.weighed, got.Bytes)
}

// Varying reports whether limits of different rows were found, so that the same number of rows means nothing.
func (p *Proven) Varying() bool { return p.varies > firstVarying }

// cut notes that an answer was not whole. What had been shown before it counts no more. again says that fewer rows
// than another limit had cut it off.
func (p *Proven) cut(again bool) {
	*p = Proven{answers: p.answers, asked: p.asked, varies: max(p.varies, firstVarying)}
	if again {
		p.varies = mostVarying
	}
}
