package rules

import (
	"strconv"
	"strings"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// maxPropagation is the most that librdkafka's topic.metadata.propagation.max.ms may be: it multiplies it by 1000 in 32
// bits, and what is more becomes negative (read in 2.15, measured with Fluent Bit 5.1.1).
const maxPropagation = 2_147_483

// kafka looks at what librdkafka drops after Fluent Bit has counted it as delivered, which neither commit_on can see.
func kafka(s *subject, in *Input) {
	for _, output := range in.meant {
		if !strings.EqualFold(output.Get("name"), "kafka") {
			continue
		}
		timeout := first(output, "rdkafka.message.timeout.ms", "rdkafka.delivery.timeout.ms")
		if output.Get(timeout) != "0" {
			s.say(Error, output.At(timeout), "output kafka: librdkafka drops what no broker has taken after "+
				"message.timeout.ms (five minutes by default): set rdkafka.message.timeout.ms to 0")
		}
		kafkaTopic(s, output)
		acks := first(output, "rdkafka.acks", "rdkafka.request.required.acks")
		if value := output.Get(acks); value == "0" || value == "1" {
			s.say(Warning, output.At(acks), "output kafka: with acks %s a broker that fails loses what it has acknowledged: "+
				"set rdkafka.acks: all", value)
		}
		if in.Config.CommitOn == config.CommitHandoff {
			s.say(Warning, in.Section.At("commit_on"), "commit_on handoff does not see what the output kafka drops because "+
				"librdkafka does not take it: set commit_on: delivery")
		}
	}
}

// kafkaTopic looks at how long a topic may be missing.
func kafkaTopic(s *subject, output fluentconf.Section) {
	const key = "rdkafka.topic.metadata.propagation.max.ms"
	n, err := strconv.Atoi(output.Get(key))
	switch {
	case err == nil && n > maxPropagation:
		s.say(Error, output.At(key), "output kafka: librdkafka takes more than %d for less than nothing, and drops what "+
			"waits for a topic as soon as a broker says that it is not there: set %s to 2100000", maxPropagation, key)
	case err != nil || n < 600_000:
		s.say(Warning, output.At(key), "output kafka: librdkafka drops what waits if the first broker that answers, later "+
			"than this after the start (30 seconds by default), has yet to make the topic: make it first, and set %s "+
			"to 2100000", key)
	}
}

// first is the first of some keys that is set, or else the first of all.
func first(section fluentconf.Section, keys ...string) string {
	for _, key := range keys {
		if section.Get(key) != "" {
			return key
		}
	}
	return keys[0]
}

// noAcknowledgement is what is said of outputs that count as delivered what their connection has taken.
const noAcknowledgement = "has no acknowledgement: the connection has taken the events, no more"

// unacknowledged are the outputs that answer before the destination has the events.
var unacknowledged = map[string]string{
	"kafka":  "answers before a broker has the events",
	"syslog": noAcknowledgement, "tcp": noAcknowledgement, "gelf": noAcknowledgement, "nats": noAcknowledgement,
}

func acknowledgement(s *subject, in *Input) {
	for _, output := range in.meant {
		name := strings.ToLower(output.Get("name"))
		mode := strings.ToLower(output.Get("mode"))
		why, found := unacknowledged[name]
		switch {
		case name == "forward" && !output.On("require_ack_response"):
			s.say(Warning, output.At("require_ack_response"), "output forward waits for no acknowledgement, and what a broken "+
				"connection had taken is lost: set require_ack_response: on")
		case (name == "syslog" || name == "gelf") && (mode == "" || mode == "udp" || mode == "dtls"):
			s.say(Warning, output.At("mode"), "output %s sends by UDP unless mode says otherwise, which loses events without a "+
				"trace: set mode: tcp or tls", name)
		case found:
			s.say(Note, output.Place, "output %s %s: a crash or a broken connection loses those, and no commit_on sees it",
				name, why)
		}
	}
}
