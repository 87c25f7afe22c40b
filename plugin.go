// Command in_wherobots_audit is a Fluent Bit input plugin: a shared object,
// built with -buildmode=c-shared, that Fluent Bit loads and calls by the
// exported names below. This file holds the callbacks, the memory that crosses
// the border and nothing else; what the plugin does is in package exporter.
//
// Facts of the host that shape it (Fluent Bit 3.2 to 5.1):
//
//   - All callbacks of one instance come on that instance's own thread; collect
//     comes once a second and must not block.
//   - The engine copies what collect hands over, and calls cleanup right after
//     that, on the same thread (read in flb_plugin_proxy.c); it never frees or
//     changes it. If nothing is handed over (size 0), it does not call cleanup.
//     So the memory may stay Go's, as long as it is pinned.
//   - The engine's log function writes to the engine's log only on a thread of
//     the engine. So the exporter queues its lines, and callbacks print them.
//   - The shared object is never unloaded: Exit must end everything, since a hot
//     reload calls Init again in the same process.
package main

// #cgo LDFLAGS: -ldl
// #include "plugin.h"
import "C"

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/fluent/fluent-bit-go/input"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

const (
	pluginName        = "wherobots_audit"
	pluginDescription = "Wherobots Cloud audit log"
)

// instance is one [INPUT] section of the configuration. Its methods are called
// by the callbacks only, thus on one thread.
type instance struct {
	host
	exporter *exporter.Exporter
	metrics  metrics
	handle   unsafe.Pointer // C memory whose address stands for the instance
	handed   runtime.Pinner // holds what collect handed over until cleanup
}

// gcPercent trades a little CPU for memory: the heap has hardly a pointer, so collecting it is cheap.
// Measured with a million rows in the engine, with the default batch_bytes: a peak of 123 MiB with 50 %, 117 with
// 30 and 111 with 20, at the same CPU.
const gcPercent = 20

func init() { debug.SetGCPercent(gcPercent) }

// table is the only state of the process; Exit empties it.
var table instances[*instance]

// FLBPluginRegister tells the engine the plugin's name and kind.
//
//export FLBPluginRegister
func FLBPluginRegister(def unsafe.Pointer) C.int {
	forgetLoading()
	return C.int(input.FLBPluginRegister(def, pluginName, pluginDescription))
}

// FLBPluginUnregister gives back what Register allocated.
//
//export FLBPluginUnregister
func FLBPluginUnregister(def unsafe.Pointer) {
	input.FLBPluginUnregister(def)
}

// FLBPluginInit starts one instance. Anything but FLB_OK keeps Fluent Bit (from
// 4.1 on) from starting, which is the right answer to settings that are wrong.
//
//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) (status C.int) {
	p := (*C.struct_engine_plugin)(plugin)
	h := newHost(p)
	defer h.survive("Init", func() { status = input.FLB_ERROR })

	given := func(key string) string { return input.FLBPluginConfigKey(plugin, key) }
	config, err := exporter.ParseConfig(settings(given, h.name))
	if err != nil {
		h.log(exporter.LevelError, err.Error())
		return input.FLB_ERROR
	}
	e, err := open(h, config)
	if err != nil {
		h.log(levelOf(err), err.Error())
		return input.FLB_ERROR
	}
	e.Verbose(C.engine_logs(h.api, h.ins, C.int(exporter.LevelDebug)) != 0)
	h.tellReplaced()
	i := &instance{host: h, exporter: e, metrics: newMetrics(h, e.Labels(), e.Stats(), time.Now()), handle: C.malloc(1)}
	table.add(i, uintptr(i.handle), syscall.Gettid())
	C.engine_set_handle(p, i.handle)
	e.Start()
	i.printLines()
	return input.FLB_OK
}

// FLBPluginInputCallbackCtx is collect, from Fluent Bit 4.1 on.
//
//export FLBPluginInputCallbackCtx
func FLBPluginInputCallbackCtx(ctx unsafe.Pointer, data *unsafe.Pointer, size *C.size_t) C.int {
	return collect(uintptr(ctx), data, size)
}

// FLBPluginInputCallback is collect before Fluent Bit 4.1.
//
//export FLBPluginInputCallback
func FLBPluginInputCallback(data *unsafe.Pointer, size *C.size_t) C.int {
	return collect(0, data, size)
}

// FLBPluginInputCleanupCallbackCtx is cleanup, from Fluent Bit 4.1 on.
//
//export FLBPluginInputCleanupCallbackCtx
func FLBPluginInputCleanupCallbackCtx(ctx, _ unsafe.Pointer) C.int {
	return cleanup(uintptr(ctx))
}

// FLBPluginInputCleanupCallback is cleanup before Fluent Bit 4.1.
//
//export FLBPluginInputCleanupCallback
func FLBPluginInputCleanupCallback(_ unsafe.Pointer) C.int {
	return cleanup(0)
}

// FLBPluginInputPause holds the instance: what is handed over after the pause
// of a shutdown is lost.
//
//export FLBPluginInputPause
func FLBPluginInputPause() {
	for _, i := range table.on(syscall.Gettid()) {
		i.guarded("Pause", i.exporter.Pause)
	}
}

// FLBPluginInputResume ends the hold.
//
//export FLBPluginInputResume
func FLBPluginInputResume() {
	for _, i := range table.on(syscall.Gettid()) {
		i.guarded("Resume", i.exporter.Resume)
	}
}

// FLBPluginInputPreRun comes before the first collect call. Init has done it all.
//
//export FLBPluginInputPreRun
func FLBPluginInputPreRun(_ C.int) C.int {
	return 0
}

// FLBPluginInputPreExit comes right before Exit, which does it all. It is no
// Pause: the exporter draws conclusions from how many of those came.
//
//export FLBPluginInputPreExit
func FLBPluginInputPreExit(_ C.int) {}

// FLBPluginExit ends the instance of the calling thread and waits for it.
//
//export FLBPluginExit
func FLBPluginExit() C.int {
	for _, i := range table.remove(syscall.Gettid()) {
		i.guarded("Exit", func() {
			if err := i.exporter.Close(); err != nil {
				i.log(exporter.LevelError, err.Error())
			}
		})
		i.handed.Unpin()
		i.printLines()
		i.metrics.close()
		C.free(i.handle)
	}
	return input.FLB_OK
}

// collect hands over what the exporter has ready. The engine reads it where it
// is: a copy in C memory cost 6 % of the whole process's CPU time.
func collect(handle uintptr, data *unsafe.Pointer, size *C.size_t) C.int {
	*data, *size = nil, 0
	i, ok := table.find(handle, syscall.Gettid())
	if !ok {
		return input.FLB_OK // after Exit, or a pause's last call: nothing to hand over
	}
	i.guarded("collect", func() {
		i.printLines()
		i.metrics.update(i.exporter.Stats(), time.Now())
		if batch := i.exporter.Next(); len(batch) > 0 {
			i.handed.Pin(&batch[0])
			*data, *size = unsafe.Pointer(&batch[0]), C.size_t(len(batch))
		}
		if i.exporter.Ended() {
			i.printLines()
			endProcess()
		}
	})
	return input.FLB_OK
}

// endProcess asks the engine to end, in the one way that it has for that: its handler of SIGTERM ends its main loop,
// as when an orchestrator stops it, with a grace period, each input's Exit and status 0 (read in flb_main, 3.2 to 5.1).
func endProcess() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM) }

// cleanup lets go of what collect handed over: the engine has copied it.
func cleanup(handle uintptr) C.int {
	if i, ok := table.find(handle, syscall.Gettid()); ok {
		i.handed.Unpin()
		i.guarded("cleanup", i.exporter.Accepted)
	}
	return input.FLB_OK
}

// printLines prints what the exporter has queued.
func (i *instance) printLines() {
	for _, line := range i.exporter.Lines() {
		i.log(line.Level, line.Text)
	}
}

// host is the engine as one instance sees it.
type host struct {
	api  *C.struct_engine_api
	ins  unsafe.Pointer
	name string // alias or plugin.number; empty if the engine does not tell
}

func newHost(p *C.struct_engine_plugin) host {
	return host{api: p.api, ins: p.ins, name: C.GoString(C.engine_input_name(p.ins))}
}

// log prints text through the engine's own log, a log line for each of its
// lines, in the form of the engine's own plugins.
func (h host) log(level exporter.Level, text string) {
	for line := range strings.Lines(text) {
		c := C.CString(logPrefix(h.name) + strings.TrimRight(line, "\r\n"))
		C.engine_log(h.api, h.ins, C.int(level), c)
		C.free(unsafe.Pointer(c))
	}
}

// tellReplaced says when this code is not what is on disk any more: a hot reload keeps what is loaded, and succeeds.
func (h host) tellReplaced() {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return // a system without it does not tell
	}
	if file, ok := replacedFile(string(maps), reflect.ValueOf(replacedFile).Pointer()); ok && isFile(file) {
		h.log(exporter.LevelWarn, fmt.Sprintf("%s was replaced after Fluent Bit had loaded it, and a reload keeps the old "+
			"code: this is still version %s; restart Fluent Bit to use the new one", file, exporter.Version))
	}
}

// guarded calls f. A panic must not take the engine, and all its other inputs,
// down with it; nothing is committed by it, so nothing is lost.
func (h host) guarded(callback string, f func()) {
	defer h.survive(callback, func() {})
	f()
}

// survive is deferred: it logs a panic and calls after.
func (h host) survive(callback string, after func()) {
	if reason := recover(); reason != nil {
		h.log(exporter.LevelError, fmt.Sprintf("panic in %s: %v\n%s", callback, reason, debug.Stack()))
		after()
	}
}

func main() {} // required by -buildmode=c-shared, never called
