package handover

import "time"

// freshness tells figures that are new from the same ones read again. The engine renews them once a second, at a
// phase that the plugin does not know, so they are asked for more often.
type freshness struct {
	text  uint64
	at    time.Time // when new ones were seen
	whole bool      // they were of version 2
	asked time.Time
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
// figures were seen, the next ones are a second away.
func (p *freshness) rest() time.Duration {
	if p.whole {
		return watchInterval - watchClosely - time.Since(p.at)
	}
	return watchInterval - time.Since(p.asked)
}

// sees notes figures, and reports whether they are the same ones again.
func (p *freshness) sees(s *snapshot) (again bool) {
	now := time.Now()
	if s.text != 0 && s.text == p.text && now.Sub(p.at) < watchInterval {
		return true
	}
	p.text, p.whole, p.at = s.text, s.whole, now
	return false
}

// failed notes that there are none.
func (p *freshness) failed() { p.whole = false }
