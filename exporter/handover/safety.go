package handover

// Safety is what makes a batch safe that the engine copied. Each value takes what the one before it takes, and more.
type Safety int

const (
	// OnDelivery takes delivery alone: every output that gets records has processed them (commit_on delivery).
	OnDelivery Safety = iota
	// OnStorage also takes what was found in the engine's storage and synced to disk (commit_on handoff).
	OnStorage
	// OnTime also takes what the engine copied a second ago. It proves nothing, and is for where nothing can be
	// found out.
	OnTime
)

// takesStorage reports whether what is in the engine's storage is safe.
func (s Safety) takesStorage() bool { return s >= OnStorage }

// takesTime reports whether a batch is safe a second after the engine copied it.
func (s Safety) takesTime() bool { return s >= OnTime }

// takesShutdown reports whether what the engine copied is safe when its ring was emptied before it exits: in files it
// outlives the engine.
func (s Safety) takesShutdown(onDisk bool) bool { return s.takesTime() || s.takesStorage() && onDisk }
