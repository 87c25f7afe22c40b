package handover

import (
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/claim"
)

// Claim makes sure, before the engine takes over what it found in its storage, that no other process uses it. It waits
// up to 15 seconds for one that is ending, and calls waits when it begins to. Its error is for the person who set
// storage.path.
func (s *Storage) Claim(waits func(holder string)) error {
	if s.find(); s.root == "" {
		return nil // there is nothing that could be taken
	}
	err := s.hold(claim.Patience, waits)
	var shared *claim.SharedError
	if errors.As(err, &shared) {
		return shared
	}
	return nil
}

// Release lets the next process use the storage.
func (s *Storage) Release() {
	if s.release != nil {
		s.release()
		s.release = nil
	}
}

// beAlone holds the storage. While another process does, what is stored there is not safe.
func (s *Storage) beAlone() {
	if s.release != nil || time.Since(s.holdAt) < watchInterval {
		return
	}
	err := s.hold(0, nil)
	var shared *claim.SharedError
	isShared := errors.As(err, &shared)
	s.ledger.setShared(isShared)
	s.shared.say(isShared, func() {
		s.log.Errorf("%v. What is there counts as safe only when it is delivered", shared)
	}, func() { s.log.Infof("no other process uses storage.path %s any more", s.root) })
	s.unlocked.say(err != nil && !isShared, func() {
		s.log.Warnf("Fluent Bit's storage: %v. If another Fluent Bit uses it too, events can be lost", err)
	}, func() {})
}

func (s *Storage) hold(patience time.Duration, waits func(string)) (err error) {
	s.holdAt = time.Now()
	s.release, err = claim.Hold(s.root, patience, waits)
	return err
}
