package logline

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Excerpt is the beginning of text in at most limit bytes, on one line, with dots for what cannot be printed.
func Excerpt(text []byte, limit int) string {
	const more = "…"
	out := make([]byte, 0, limit)
	space := false
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			space = len(out) > 0
			continue
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			r = '.'
		}
		if len(out)+1+utf8.RuneLen(r)+len(more) > limit {
			return string(out) + more
		}
		if space {
			out = append(out, ' ')
			space = false
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// Clean makes one line of printable text: whatever else is in it would disturb a log or hide a part of it.
func Clean(text string) string {
	isOdd := func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }
	if utf8.ValidString(text) && strings.IndexFunc(text, isOdd) < 0 && !strings.Contains(text, "  ") {
		return strings.TrimSpace(text)
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
}

// Cut shortens text to at most limit bytes, at a rune's end.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// Duration spells a duration as parseDuration reads it, without zero parts.
func Duration(d time.Duration) string {
	if d >= 2*(24*time.Hour) && d%(24*time.Hour) == 0 {
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Quoted shows a value on one line, cut where nobody reads on.
func Quoted(value string) string { return strconv.Quote(Cut(value, 120)) }
