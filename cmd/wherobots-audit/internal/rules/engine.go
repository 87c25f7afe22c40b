package rules

import (
	"net"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// onFilesystem reports whether the input's chunks are files: by its own word, or by the service's, which inputs
// inherit if it says so.
func onFilesystem(s *subject, in *Input) bool {
	kind := in.Section.Get("storage.type")
	if kind == "" && s.Service.On("storage.inherit") {
		kind = s.Service.Get("storage.type")
	}
	return strings.EqualFold(kind, "filesystem")
}

func storageType(s *subject, in *Input) {
	if onFilesystem(s, in) {
		return
	}
	at := in.Section.At("storage.type")
	if in.Config.CommitOn == config.CommitDelivery {
		s.say(Warning, at, "storage.type is not filesystem: what waits for a destination is fetched again after a restart")
		return
	}
	s.say(Warning, at, "storage.type is not filesystem: commit_on handoff waits for delivery then, as delivery does")
}

func storagePath(s *subject, in *Input) {
	if onFilesystem(s, in) && s.Service.Get("storage.path") == "" {
		s.say(Error, s.Service.Place, "storage.path is not set: Fluent Bit does not start with storage.type filesystem")
	}
}

// memBufLimit looks at all inputs: pausing one can stop the collect timer of another for good.
func memBufLimit(s *subject) {
	if len(s.inputs) == 0 {
		return
	}
	for _, section := range s.Of("input") {
		own := strings.EqualFold(section.Get("name"), PluginName)
		switch limit := section.Get("mem_buf_limit"); {
		case limit == "":
		case own:
			s.say(Warning, section.At("mem_buf_limit"), "mem_buf_limit pauses the input, and events come again; "+
				"pausing one input can stop another for good: remove it, and use storage.type filesystem")
		case strings.EqualFold(section.Get("storage.type"), "filesystem"):
		default:
			s.say(Note, section.At("mem_buf_limit"), "mem_buf_limit of %s: pausing one input can stop another for good",
				section.Get("name"))
		}
	}
}

func engineAPI(s *subject, in *Input) {
	for _, key := range []string{"http_server", "storage.metrics"} {
		if s.Service.On(key) {
			continue
		}
		if in.Config.CommitOn == config.CommitDelivery {
			s.say(Error, s.Service.At(key), "%s is not on: commit_on delivery cannot see what was delivered", key)
			continue
		}
		if in.Config.ExitWhenComplete {
			s.say(Error, s.Service.At(key), "%s is not on: Fluent Bit may never end, since exit_when_complete cannot see "+
				"what was delivered", key)
			continue
		}
		s.say(Warning, s.Service.At(key),
			"%s is not on: commit_on handoff cannot prove what filters changed or what was delivered", key)
	}
}

// httpPort is where the engine answers.
func httpPort(s *subject) string {
	if port := s.Service.Get("http_port"); port != "" {
		return port
	}
	return "2020"
}

// statusListen compares where the plugin answers with where the engine does, which listens later and then ends. That it
// is engine_url's is refused as a value.
func statusListen(s *subject, in *Input) {
	host, port, err := net.SplitHostPort(in.Config.StatusListen)
	if err != nil || !in.Sound || !s.Service.On("http_server") || port != httpPort(s) {
		return
	}
	listen := s.Service.Get("http_listen")
	if listen == "" {
		listen = "0.0.0.0" // as the engine has it
	}
	if config.SameAddress(host, listen) {
		s.say(Error, in.Section.At("status_listen"), "status_listen %s is Fluent Bit's own address (http_listen %s, "+
			"http_port %s), so that it does not start: take another port, such as 2112",
			in.Config.StatusListen, listen, port)
	}
}

// engineURL compares where the plugin asks with where the engine answers.
func engineURL(s *subject, in *Input) {
	if !in.Sound || !s.Service.On("http_server") {
		return
	}
	port := httpPort(s)
	level := Warning
	if in.Config.CommitOn == config.CommitDelivery {
		level = Error
	}
	url := in.Config.EngineURL
	asked := url.Port()
	if asked == "" {
		asked = map[string]string{"http": "80", "https": "443"}[url.Scheme]
	}
	at := in.Section.At("engine_url")
	if asked != port {
		s.say(level, at, "engine_url asks port %s, and http_port is %s", asked, port)
	}
	host, listen := url.Hostname(), s.Service.Get("http_listen")
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(listen)
	if ip != nil && !ip.IsUnspecified() && host != listen && net.ParseIP(host) != nil {
		s.say(level, at, "engine_url asks %s, and http_listen is %s", host, listen)
	}
}
