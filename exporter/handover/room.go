package handover

// diskRoom is what the file system of the engine's storage still takes. On a full one the engine counts
// records and writes none of them, so nothing is handed over that may not fit.
type diskRoom struct {
	free   int64 // bytes; unknown = not known
	files  int64 // that can still be made; unknown = the file system has no limit
	factor int64 // 2 where filters re-emit into storage, which writes everything once more; else 1
	short  int64 // bytes that the batch in front needs, if there is no room for it; else 0
}

const (
	chunkOverhead = 36 << 10 // bytes: a file's header, and the step by which the engine makes files longer
	leastFiles    = 16
)

// need returns how many bytes must be free for a batch of that size: twice what it takes, since others write too.
func (r *diskRoom) need(size int) int64 { return 2 * max(r.factor, 1) * (int64(size) + chunkOverhead) }

// take reports whether there is room for a batch, and counts it as written.
func (r *diskRoom) take(size int) bool {
	need := r.need(size)
	if r.free != unknown && (r.free < need || r.files != unknown && r.files < leastFiles) {
		r.short = need
		return false
	}
	if r.short = 0; r.free != unknown {
		r.free -= need / 2
	}
	return true
}

// setRoom notes what is free, and returns what the batch in front needs if it was kept back for want of room.
func (l *Ledger) setRoom(free, files, factor int64) (short int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 { // it was taken back
		l.disk.short = 0
	}
	l.disk.free, l.disk.files, l.disk.factor = free, files, factor
	return l.disk.short
}
