package main

// #include "plugin.h"
import "C"

import (
	"time"
	"unsafe"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// metrics are the figures of one instance in the engine's own registry, in the order of exporter.Figures. The engine
// frees them with the instance.
type metrics []metric

type metric struct {
	figure exporter.Figure
	handle unsafe.Pointer // NULL where the host has none
	labels []labels       // of each sample
}

// newMetrics registers the figures under the instance's labels. Where the host has no metrics, or does not tell the
// instance's name, without which two instances would show as one, there are none. They are set once here, since the
// first setting allocates and the engine's other threads read once all instances are started.
func newMetrics(h host, of []exporter.Label, stats exporter.Stats, now time.Time) (m metrics) {
	if h.name == "" {
		return nil
	}
	of = append([]exporter.Label{{Name: "name", Value: h.name}}, of...)
	for _, f := range exporter.Figures() {
		m = append(m, newMetric(h, f, of, stats))
	}
	m.update(stats, now)
	return m
}

func newMetric(h host, f exporter.Figure, of []exporter.Label, stats exporter.Stats) metric {
	m := metric{figure: f}
	all := [][]exporter.Label{of}
	if f.Histogram == nil {
		all = nil
		for _, s := range f.Samples(stats) {
			all = append(all, append(of[:len(of):len(of)], s.Labels...))
		}
	}
	names := newLabels(all[0], func(l exporter.Label) string { return l.Name })
	name, help := C.CString(f.Name), C.CString(f.Help)
	if f.Histogram != nil {
		bounds := exporter.FigureBounds()
		m.handle = C.engine_histogram(
			h.ins, name, help, (*C.double)(unsafe.Pointer(&bounds[0])), C.size_t(len(bounds)), names.count(), names.array,
		)
	} else {
		m.handle = C.engine_metric(h.ins, isGauge(f), name, help, names.count(), names.array)
	}
	for _, list := range all {
		m.labels = append(m.labels, newLabels(list, func(l exporter.Label) string { return l.Value }))
	}
	// cmetrics has copied all texts.
	C.free(unsafe.Pointer(name))
	C.free(unsafe.Pointer(help))
	names.free()
	return m
}

// update sets every figure. It costs a lookup by labels each, once a second.
func (m metrics) update(stats exporter.Stats, now time.Time) {
	ns := C.uint64_t(now.UnixNano())
	for _, metric := range m {
		if f := metric.figure; f.Histogram != nil {
			h, l := f.Histogram(stats), metric.labels[0]
			C.engine_histogram_set(
				metric.handle, ns, (*C.uint64_t)(unsafe.Pointer(&h.AtMost[0])), C.double(h.Sum), C.uint64_t(h.Count()),
				l.count(), l.array,
			)
			continue
		}
		for n, sample := range metric.figure.Samples(stats) {
			l := metric.labels[n]
			C.engine_metric_set(
				metric.handle, isGauge(metric.figure), ns, C.double(sample.Value), l.count(), l.array,
			)
		}
	}
}

// close frees what is the plugin's own.
func (m metrics) close() {
	for _, metric := range m {
		for _, l := range metric.labels {
			l.free()
		}
	}
}

func isGauge(f exporter.Figure) C.int {
	if f.Gauge() {
		return 1
	}
	return 0
}

// labels are texts in C's memory.
type labels struct {
	array **C.char
	texts []*C.char // the same
}

func newLabels(list []exporter.Label, text func(exporter.Label) string) labels {
	l := labels{array: (**C.char)(C.malloc(C.size_t(len(list)) * C.size_t(unsafe.Sizeof((*C.char)(nil)))))}
	l.texts = unsafe.Slice(l.array, len(list))
	for n := range list {
		l.texts[n] = C.CString(text(list[n]))
	}
	return l
}

func (l labels) count() C.int { return C.int(len(l.texts)) }

func (l labels) free() {
	for _, text := range l.texts {
		C.free(unsafe.Pointer(text))
	}
	C.free(unsafe.Pointer(l.array))
}
