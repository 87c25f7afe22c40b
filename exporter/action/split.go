package action

import "strings"

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
// nothing, and "de_provisioned" is no "provisioned".
func (w *words) joinParticles() {
	for i := 0; i+1 < w.count; i++ {
		if !w.joins(i) && !phrases[string(w.pair(i))] && (i == 0 || !isCreateLink(w.at(i), w.at(i+1))) {
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

// joins reports whether the word at i only makes another verb of the next one: "un_share".
func (w *words) joins(i int) bool {
	switch string(w.at(i)) {
	case "de", "un", "dis", "re":
	case "off", "on":
		return begins(w.at(i+1), "board")
	default:
		return false
	}
	var text [maxNameText]byte
	n := copy(text[:], w.at(i))
	n += copy(text[n:], w.at(i+1))
	return lookUpVerb(text[:n]).verb != verbOther
}

// phrases are verbs of two words, joined by "_", in all forms: "signed_in".
var phrases = func() map[string]bool {
	all := map[string]bool{"setting_of": true} // a verb there only
	for v := range verbTable {
		s := &verbTable[v]
		for _, stem := range strings.Fields(s.strong + " " + s.nounlike + " " + s.weak + " " + s.weakest) {
			if base, particle, ok := strings.Cut(stem, "-"); ok {
				inflected := inflect(base)
				for _, form := range strings.Fields(base + " " + inflected.third + " " + inflected.past + " " + inflected.gerund) {
					all[form+"_"+particle] = true
				}
			}
		}
	}
	delete(all, "logging_on") // of something: a noun
	delete(all, "logging_off")
	return all
}()

// pair is the word at i and the next one, joined by "_".
func (w *words) pair(i int) []byte {
	start := 0
	if i > 0 {
		start = int(w.ends[i-1]) + 1
	}
	return w.text[start:w.ends[i+1]]
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
