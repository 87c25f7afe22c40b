package rules

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// requestTurns adds up the requests of a round, one for each input of a host.
func requestTurns(s *subject) {
	type round struct {
		inputs int
		takes  time.Duration
	}
	rounds := make(map[string]round)
	for _, in := range s.inputs {
		if in.Sound {
			r := rounds[in.Config.Endpoint.Host]
			rounds[in.Config.Endpoint.Host] = round{r.inputs + 1, r.takes + in.Config.MinRequestInterval}
		}
	}
	for _, in := range s.inputs {
		if !in.Sound {
			continue
		}
		r := rounds[in.Config.Endpoint.Host]
		if r.takes <= in.Config.PollInterval {
			continue
		}
		s.say(Warning, in.Section.At("min_request_interval"), "%d inputs of one host need %s for a request each, and "+
			"poll_interval is %s: all is late; make min_request_interval shorter, poll_interval longer, or spread the inputs "+
			"over several Fluent Bits", r.inputs, logline.Duration(r.takes), logline.Duration(in.Config.PollInterval))
		return
	}
}
