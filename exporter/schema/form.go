package schema

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// form is what a value must look like to be written to a place; one that does not is left out there (the
// table gives it another place).
type form int

const (
	anyText   form = iota
	formIP         // an address without a zone, written as text
	formNoIP       // anything but such an address
	formEmail      // an e-mail address as OCSF's email_t has it
	formInt        // a decimal number, written as an integer; only the plugin's own fields
)

var forms = map[string]form{
	"": anyText, required: anyText, "ip": formIP, "noip": formNoIP, "email": formEmail, "int": formInt,
}

// fits reports whether a text has the form.
func (f form) fits(text []byte) bool {
	switch f {
	case formIP:
		return isIP(text)
	case formNoIP:
		return !isIP(text)
	case formEmail:
		return isEmail(text)
	default:
		return true
	}
}

// maxIPText is OCSF's limit for an address (ip_t, max_len). All but the longest spellings of IPv4-mapped
// addresses fit.
const maxIPText = 40

// isIP reports whether s is an IPv4 or IPv6 address that indexes accept: without a zone, which is a name on
// some other machine.
func isIP(s []byte) bool {
	if len(s) < 2 || len(s) > maxIPText || !hasOnlyAddressBytes(s) {
		return false
	}
	// No copy: ParseAddr keeps nothing of an address without a zone, and its error is dropped here.
	_, err := netip.ParseAddr(unsafe.String(&s[0], len(s)))
	return err == nil
}

// hasOnlyAddressBytes reports whether s could be an address. Most texts that are not one are told here, where
// that costs no allocation; ParseAddr makes an error of them.
func hasOnlyAddressBytes(s []byte) bool {
	for _, c := range s {
		if !addressByte[c] {
			return false
		}
	}
	return true
}

// addressByte is a table because five comparisons a byte cost 1–3 % of an ecs or ocsf row.
var addressByte = func() (is [256]bool) {
	for _, c := range []byte("0123456789abcdefABCDEF.:") {
		is[c] = true
	}
	return is
}()

// isEmail is OCSF's pattern for email_t, written out:
// ^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$
func isEmail(s []byte) bool {
	name := bytes.IndexByte(s, '@')
	if name < 1 {
		return false
	}
	for _, c := range s[:name] {
		if emailBytes[c]&inLocalPart == 0 {
			return false
		}
	}
	domain := s[name+1:]
	for _, c := range domain {
		if emailBytes[c]&inDomain == 0 {
			return false
		}
	}
	dot := bytes.IndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1
}

const (
	inLocalPart = 1 << iota
	inDomain
)

// emailBytes says in which part of an e-mail address a byte may stand.
var emailBytes = func() (table [256]uint8) {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for _, c := range []byte(alphanumeric) {
		table[c] = inLocalPart | inDomain
	}
	for _, c := range []byte("!#$%&'*+,-./=?^_`{|}~") { // "+-/" in the pattern is a range
		table[c] |= inLocalPart
	}
	table['-'] |= inDomain
	table['.'] |= inDomain
	return table
}()

// decimal is the number that formInt's text spells, 0 when it is none.
func decimal(s []byte) int64 {
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	var n int64
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		return -n
	}
	return n
}
