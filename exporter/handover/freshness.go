package handover

import "time"

// freshness tells figures that are new from the same ones read again. The engine renews them once a second, at a
// phase that the plugin does not know. It is found by asking more often; from then on one asking a second will do.
type freshness struct {
	text  uint64
	at    time.Time // when new ones were seen
	whole bool      // they were of version 2
	asked time.Time

	again   bool // the same ones were read last
	inPhase bool // new ones are seen soon after they are there
}

// due reports whether to ask now, and counts it as done.
func (p *freshness) due() bool {
	if p.rest() > 0 {
		return false
	}
	p.asked = time.Now()
	return true
}

// rest is how long it is until figures are due. What is not of one moment is several seconds old anyway. When new
// figures were seen, the next ones are at most a second away. A little earlier follows a phase that moves, and comes
// upon the same ones only once in a dozen times.
func (p *freshness) rest() time.Duration {
	const early = 20 * time.Millisecond
	switch {
	case !p.whole:
		return watchInterval - time.Since(p.asked)
	case p.inPhase:
		return watchInterval - early - time.Since(p.at)
	default:
		return watchInterval - watchClosely - time.Since(p.at)
	}
}

// sees notes figures, and reports whether they are the same ones again.
func (p *freshness) sees(s *snapshot) (again bool) {
	now := time.Now()
	if s.text != 0 && s.text == p.text && now.Sub(p.at) < watchInterval {
		p.again = true
		return true
	}
	p.inPhase = p.again || p.inPhase && now.Sub(p.at) < watchInterval+watchClosely
	p.text, p.whole, p.at, p.again = s.text, s.whole, now, false
	return false
}

// failed notes that there are none.
func (p *freshness) failed() { p.whole, p.inPhase = false, false }
