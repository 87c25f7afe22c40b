package rules

// manyBytes is how much the batches of all inputs together may have before it is worth a word, in bytes. Fifty inputs
// that fill in 20,000 events each took 862 MiB with batches of 11 MB, and 493 with 1 MB, for which they needed three
// seconds more (docs/organisations.md).
const manyBytes = 100_000_000

// batchesTogether adds up the batches of all inputs: each has two while it fills in its history, Fluent Bit copies
// them, and all may do so at once.
func batchesTogether(s *subject) {
	inputs, bytes := 0, 0
	var largest *Input
	for _, in := range s.inputs {
		if !in.Sound {
			continue
		}
		inputs++
		bytes += in.Config.BatchBytes
		if largest == nil || in.Config.BatchBytes > largest.Config.BatchBytes {
			largest = in
		}
	}
	if bytes > manyBytes && inputs > 1 {
		s.say(Note, largest.Section.At("batch_bytes"), "%d inputs with batches of %d MB together may take most of a GiB "+
			"while they all fill in their history; batch_bytes 1M is hardly slower where there are many", inputs,
			bytes/1_000_000)
	}
}
