package action

// How a name is taken apart into words.

const (
	maxWords    = 16  // words of a name that are looked at
	maxNameText = 128 // bytes of a name that are looked at
)

// words are the words of a name in small letters, in place.
type words struct {
	text  [maxNameText + maxWords]byte // the words joined by "_"
	ends  [maxWords]uint8
	count int
}

// split takes a name apart at everything that is neither letter nor digit and where a capital begins a word,
// as snakeCase does for columns: "api_key.created", "API key created" and "ApiKeyCreated" have the same
// words.
func (w *words) split(name []byte) {
	name = name[:min(len(name), maxNameText)]
	end, inWord := 0, false
	for i, c := range name {
		if !isWordByte(c) {
			inWord = false
			continue
		}
		if !inWord || isCapital(c) && beginsWord(name, i) {
			if w.count == maxWords {
				return
			}
			if w.count > 0 {
				w.text[end] = '_'
				end++
			}
			w.count++
			inWord = true
		}
		if isCapital(c) {
			c |= 0x20
		}
		w.text[end] = c
		end++
		w.ends[w.count-1] = uint8(end)
	}
	w.joinParticles()
}

// joinParticles makes one word of what belongs together: "sign_in" becomes "signin", so that "in" alone means
// nothing.
func (w *words) joinParticles() {
	for i := 0; i+1 < w.count; i++ {
		if !joined(w.at(i), w.at(i+1)) && (i == 0 || !isCreateLink(w.at(i), w.at(i+1))) {
			continue
		}
		last := w.ends[w.count-1]
		copy(w.text[w.ends[i]:], w.text[w.ends[i]+1:last])
		for j := i; j < w.count-1; j++ {
			w.ends[j] = w.ends[j+1] - 1
		}
		w.count--
	}
}

// joined reports whether two words are one verb. "setting" is a verb in "setting of a region" only.
func joined(first, second []byte) bool {
	switch string(first) {
	case "sign", "signed", "signing", "log", "logged":
		switch string(second) {
		case "in", "out", "on", "off", "up":
			return true
		}
	case "turn", "turns", "turned", "turning":
		return string(second) == "on" || string(second) == "off"
	case "logging":
		return string(second) == "in" || string(second) == "out"
	case "shut", "shuts", "shutting":
		return string(second) == "down"
	case "roll", "rolls", "rolled", "rolling":
		return string(second) == "back"
	case "setting":
		return string(second) == "of"
	}
	return false
}

// isCreateLink: behind another word, a "create link" is a thing: what a user follows to create something.
func isCreateLink(first, second []byte) bool {
	return string(first) == "create" && string(second) == "link"
}

func (w *words) at(i int) []byte {
	start := 0
	if i > 0 {
		start = int(w.ends[i-1]) + 1
	}
	return w.text[start:w.ends[i]]
}

func (w *words) joined() []byte {
	if w.count == 0 {
		return nil
	}
	return w.text[:w.ends[w.count-1]]
}

// isWordByte counts the bytes of letters beyond ASCII as letters.
func isWordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// beginsWord reports whether the capital at i begins a word: after a small letter or digit, or as the last of a
// run of capitals.
func beginsWord(name []byte, i int) bool {
	return i > 0 && (!isCapital(name[i-1]) || i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z')
}
