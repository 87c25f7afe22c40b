package logline

import "strings"

// form is one spelling of a secret, in lower case. It is looked for as Knuth, Morris and Pratt do, since that
// tells at each place how much of it ends there: a text that was cut has only the beginning.
type form struct {
	text string
	fall []int // fall[n] is the length of the longest beginning of text that also ends its first n bytes, less than n
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

func newForm(text string) form {
	f := form{text, make([]int, len(text)+1)}
	for n, matched := 1, 0; n < len(text); n++ {
		matched = f.next(matched, text[n])
		f.fall[n+1] = matched
	}
	return f
}

// next returns how many bytes of the form end with c, when matched did before it.
func (f form) next(matched int, c byte) int {
	for matched > 0 && (matched == len(f.text) || f.text[matched] != c) {
		matched = f.fall[matched]
	}
	if f.text[matched] == c {
		matched++
	}
	return matched
}

// find appends where text, in lower case, has the form, or its beginning before a cut.
func (f form) find(text string, found []span) []span {
	matched := 0
	for i := range len(text) {
		if matched >= leastPart && matched < len(f.text) && strings.HasPrefix(text[i:], "…") {
			found = append(found, span{i - matched, i})
		}
		if matched = f.next(matched, text[i]); matched == len(f.text) {
			found = append(found, span{i + 1 - matched, i + 1})
		}
	}
	if matched >= leastPart && matched < len(f.text) {
		found = append(found, span{len(text) - matched, len(text)})
	}
	return found
}
