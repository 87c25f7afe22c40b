package handover

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Taken from Fluent Bit 5.1.1, cut: a rewrite_tag filter with its emitter, and an alias with a quote.
const prometheusText = `# HELP fluentbit_input_bytes_total Number of input bytes.
# TYPE fluentbit_input_bytes_total counter
fluentbit_input_bytes_total{name="storage_backlog.1"} 0
fluentbit_input_records_total{name="a\"b"} 6
fluentbit_input_records_total{name="storage_backlog.1"} 0
fluentbit_input_records_total{name="re_emitted"} 5
fluentbit_input_ring_buffer_retry_failures_total{name="a\"b"} 2
fluentbit_filter_records_total{name="rewrite_tag.0"} 6
fluentbit_filter_add_records_total{name="rewrite_tag.0"} 0
fluentbit_filter_drop_records_total{name="rewrite_tag.0"} 6
fluentbit_filter_emit_records_total{name="rewrite_tag.0"} 6
fluentbit_output_proc_records_total{name="null.0"} 4 1795864922000
fluentbit_output_errors_total{name="null.0"} 1
fluentbit_output_retries_failed_total{name="null.0"} 2
fluentbit_output_dropped_records_total{name="null.0"} 3
fluentbit_routing_logs_records_total{input="re_emitted",output="null.0"} 4
fluentbit_routing_logs_drop_records_total{input="re_emitted",output="unmatched"} 7
fluentbit_build_info{hostname="vm",version="5.1.1",os="linux"} 1795864922
fluentbit_logger_logs_total{message_type="error"} 9
fluentbit_storage_chunks 1
fluentbit_storage_mem_chunks 1
fluentbit_storage_fs_chunks 0
fluentbit_input_ingestion_paused{name="a\"b"} 1
fluentbit_input_storage_chunks{name="re_emitted"} 1
fluentbit_broken{name="
fluentbit_broken
`

func TestASnapshotIsReadFromPrometheusText(t *testing.T) {
	s := parseSnapshot(prometheusText)
	s.ours = `a"b`
	require.Equal(t, []string{`a"b`, "storage_backlog.1", "re_emitted"},
		[]string{s.inputs[0].name, s.inputs[1].name, s.inputs[2].name}, "the order of creation")
	require.Equal(t, inputFigures{name: `a"b`, records: 6, chunks: unknown, paused: true, gaveUp: 2}, s.input())
	require.Equal(t, []filterFigures{{name: "rewrite_tag.0", records: 6, dropped: 6, emitted: 6, emits: true}}, s.filters)
	require.Equal(t, []outputFigures{{name: "null.0", processed: 4, dropped: 3, failures: 3}}, s.outputs)
	require.Equal(t, version{5, 1}, s.version)
	require.Equal(t, []int64{1, 1, 0, 9}, []int64{s.chunks, s.memory, s.onDisk, s.errors})
	require.EqualValues(t, 7, s.astray(), "of an emitter, whatever its name")
	require.EqualValues(t, 4, s.routed[route{"re_emitted", "null.0"}])
	inEmitters, _ := s.inEmitters()
	require.EqualValues(t, 1, inEmitters)
	require.EqualValues(t, 5, s.written())
	require.False(t, s.diskless())
	require.True(t, s.emits())
}

func TestVersion1KeepsTheOrderOfInputs(t *testing.T) {
	var m metricsV1
	require.NoError(t, json.Unmarshal([]byte(`{
		"input": {"z": {"records": 5}, "storage_backlog.1": {"records": 1}, "a": {"records": 4}},
		"filter": {"rewrite_tag.0": {"records": 5, "drop_records": 4, "add_records": 0, "emit_records": 4},
			"grep.1": {"records": 1, "drop_records": 1, "add_records": 2}},
		"output": {"http.0": {"proc_records": 3, "errors": 1, "retries_failed": 2, "dropped_records": 4}}}`), &m))
	var storage storageV1
	require.NoError(t, json.Unmarshal([]byte(`{"input_chunks": {"z": {"chunks": {"total": 2}}}}`), &storage))
	s := m.snapshot(&storage)
	s.ours = "z"
	require.Equal(t, "a", s.emitters()[0].name)
	require.EqualValues(t, 2, s.input().chunks)
	require.Equal(t, []outputFigures{{name: "http.0", processed: 3, dropped: 4, failures: 3}}, s.outputs)
	require.EqualValues(t, 7, s.drops())
	require.True(t, s.emits())
	require.EqualValues(t, 10-5+2, s.written())
	require.False(t, s.whole)
	require.Error(t, json.Unmarshal([]byte(`{"input": 7}`), &m))
}

func TestWithoutABacklogEmittersAreKnownByTheirName(t *testing.T) {
	s := newSnapshot()
	s.ours = "audit"
	for _, name := range []string{"audit", "cpu.1", "emitter_for_rewrite_tag.0"} {
		s.inputOf(name)
	}
	require.True(t, s.diskless())
	require.Equal(t, "emitter_for_rewrite_tag.0", s.emitters()[0].name)
	require.False(t, s.isMine("cpu.1"))
}

func TestVersions(t *testing.T) {
	for text, routes := range map[string]bool{
		"3.2.10": false, "4.1.2": false, "4.2.0": true, "5.0.9": true, "": false, "x": false,
	} {
		require.Equal(t, routes, parseVersion(text).routes(), text)
	}
}
