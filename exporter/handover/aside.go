package handover

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// keepAgain is how often a record that could not be kept is tried to be, without it being handed over again.
const keepAgain = time.Minute

// refused follows what an output dropped. The first time, all that is not safe is in doubt; then it is handed over a
// part at a time, and the record that is refused alone is kept aside.
func (w *Watch) refused(cause string) {
	w.goneAt, w.countedAt = time.Time{}, time.Time{}
	w.release()
	record, tried := w.ledger.refuse(cause)
	switch {
	case record == nil:
	case tried:
		w.keeper.Tried(record, false)
	default:
		w.ledger.keepAside(w.keep(record))
	}
}

// keep reports whether the record is on disk.
func (w *Watch) keep(record []byte) bool {
	w.keptAt = time.Now()
	err := w.keeper.Keep(record, "an output refused it for good, alone and twice")
	if err != nil {
		w.log.Errorf("an event that an output refuses for good cannot be kept aside: %v. The checkpoint does not pass it, "+
			"events flow on (said at most every %s)", err, logline.Duration(keepAgain))
	}
	return err == nil
}

// keepUnkept tries again to keep what could not be kept.
func (w *Watch) keepUnkept() {
	if time.Since(w.keptAt) < keepAgain {
		return
	}
	if record := w.ledger.unkept(); record != nil && w.keep(record) {
		w.ledger.keptLater()
	}
}

// deliver makes safe what has left the engine without a drop.
func (w *Watch) deliver(number uint32) {
	if tried := w.ledger.Deliver(number); tried != nil {
		w.keeper.Tried(tried, true)
	}
	w.tryAgain()
}

// tryAgain hands over a kept record, if one is due and nothing else is on its way. The outputs' drops were read
// just now.
func (w *Watch) tryAgain() {
	if !w.ledger.idle() {
		return
	}
	if record := w.keeper.Due(); record != nil {
		w.ledger.try(record)
	}
}
