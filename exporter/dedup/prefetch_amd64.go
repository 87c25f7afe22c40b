package dedup

// prefetch asks for the first n places, without waiting for them. To read them, as is done where there is no such
// instruction, takes until the last has come: a twentieth of a row's path.
//
//go:noescape
func prefetch(places *[Group]*uint32, n int)
