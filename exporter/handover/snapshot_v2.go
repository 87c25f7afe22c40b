package handover

import (
	"hash/maphash"
	"sort"
)

// parseSnapshot reads the answer of /api/v2/metrics/prometheus.
func parseSnapshot(text string) *snapshot {
	s := newSnapshot()
	s.whole, s.text = true, maphash.String(traceSeed, text)
	order := make(map[string]int) // of inputs, by input_records_total, which names each of them
	parseSamples(text, func(m sample) {
		name, n := m.labels["name"], int64(m.value)
		if m.name == "input_records_total" {
			order[name] = len(order)
		}
		if s.takeInput(m.name, name, n) || s.takeFilter(m.name, name, n) || s.takeOutput(m.name, name, n) {
			return
		}
		s.takeEngine(m, n)
	})
	sort.SliceStable(s.inputs, func(a, b int) bool { return order[s.inputs[a].name] < order[s.inputs[b].name] })
	return s
}

func (s *snapshot) takeInput(figure, name string, n int64) bool {
	switch figure {
	case "input_records_total":
		s.inputOf(name).records = n
	case "input_storage_chunks":
		s.inputOf(name).chunks = n
	case "input_ingestion_paused":
		s.inputOf(name).paused = n != 0
	case "input_ring_buffer_retry_failures_total":
		s.inputOf(name).gaveUp = n
	default:
		return false
	}
	return true
}

func (s *snapshot) takeFilter(figure, name string, n int64) bool {
	switch figure {
	case "filter_records_total":
		s.filterOf(name).records = n
	case "filter_drop_records_total":
		s.filterOf(name).dropped = n
	case "filter_add_records_total":
		s.filterOf(name).added = n
	case "filter_emit_records_total":
		f := s.filterOf(name)
		f.emitted, f.emits = n, true
	default:
		return false
	}
	return true
}

func (s *snapshot) takeOutput(figure, name string, n int64) bool {
	switch figure {
	case "output_proc_records_total":
		s.outputOf(name).processed = n
	case "output_dropped_records_total":
		s.outputOf(name).dropped = n
	case "output_errors_total", "output_retries_failed_total":
		s.outputOf(name).failures += n
	case "output_retries_total":
		s.outputOf(name).retries = n
	default:
		return false
	}
	return true
}

func (s *snapshot) takeEngine(m sample, n int64) {
	switch m.name {
	case "routing_logs_records_total":
		s.routed[route{m.labels["input"], m.labels["output"]}] += n
	case "routing_logs_drop_records_total":
		if m.labels["output"] == "unmatched" {
			s.unmatched[m.labels["input"]] += n
		}
	case "storage_chunks":
		s.chunks = n
	case "storage_mem_chunks":
		s.memory = n
	case "storage_fs_chunks":
		s.onDisk = n
	case "logger_logs_total":
		if m.labels["message_type"] == "error" {
			s.errors = n
		}
	case "build_info":
		s.version = parseVersion(m.labels["version"])
	}
}
