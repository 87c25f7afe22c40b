package main

// #include "plugin.h"
import "C"

import (
	"time"
	"unsafe"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// metrics are the figures of one instance in the engine's own registry, in the
// order of figures. The engine frees them with the instance.
type metrics struct {
	label   *C.char // the instance's name, freed by close
	handles []unsafe.Pointer
}

// newMetrics registers the figures. Where the host has no metrics, or does not
// tell the instance's name, without which two instances would show as one,
// there are none. They are set once here, since the first setting allocates and
// the engine's other threads read once all instances are started.
func newMetrics(h host, now time.Time) metrics {
	if h.name == "" {
		return metrics{}
	}
	m := metrics{label: C.CString(h.name)}
	for _, f := range figures {
		// cmetrics copies both texts.
		name, help := C.CString(f.name), C.CString(f.help)
		m.handles = append(m.handles, C.engine_metric(h.ins, cBool(f.gauge), name, help))
		C.free(unsafe.Pointer(name))
		C.free(unsafe.Pointer(help))
	}
	m.update(exporter.Stats{}, now)
	return m
}

// update sets every figure. It costs a lookup by label each, once a second.
func (m metrics) update(stats exporter.Stats, now time.Time) {
	for n, handle := range m.handles {
		C.engine_metric_set(
			handle, cBool(figures[n].gauge), C.uint64_t(now.UnixNano()),
			C.double(figures[n].value(stats)), m.label,
		)
	}
}

// close frees what is the plugin's own.
func (m metrics) close() {
	C.free(unsafe.Pointer(m.label))
}

func cBool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
