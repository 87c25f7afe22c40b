package schema

import (
	"bytes"
)

// form is what a value must look like to be written to a place; one that does not is left out there (the table gives it another place).
type form int

const (
	anyText   form = iota
	formIP         // an address without a zone, written as text
	formNoIP       // anything but such an address
	formEmail      // an e-mail address as OCSF's email_t has it
	formInt        // a decimal number, written as an integer; only the plugin's own fields
)

var forms = map[string]form{"": anyText, "ip": formIP, "noip": formNoIP, "email": formEmail, "int": formInt}

// fits tells whether a text has the form.
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

// maxIPText is OCSF's limit for an address (ip_t, max_len). All but the longest spellings of IPv4-mapped addresses fit.
const maxIPText = 40

// isIP tells whether s is an IPv4 or IPv6 address that indexes accept: as netip.ParseAddr says, without a zone (a zone is a name on some other
// machine). It is written out because ParseAddr takes a string, which costs an allocation for each row.
func isIP(s []byte) bool {
	if len(s) < 2 || len(s) > maxIPText {
		return false
	}
	if bytes.IndexByte(s, ':') >= 0 {
		return isIPv6(s)
	}
	return isIPv4(s)
}

// isIPv4 accepts four decimal numbers up to 255 without leading zeros.
func isIPv4(s []byte) bool {
	numbers, digits, value := 1, 0, 0
	for _, c := range s {
		switch {
		case c == '.':
			if digits == 0 || numbers == 4 {
				return false
			}
			numbers, digits, value = numbers+1, 0, 0
		case c >= '0' && c <= '9':
			if digits > 0 && value == 0 {
				return false
			}
			value = value*10 + int(c-'0')
			if digits++; value > 255 {
				return false
			}
		default:
			return false
		}
	}
	return numbers == 4 && digits > 0
}

// isIPv6 accepts eight groups of up to four hexadecimal digits; "::" stands for one or more of them, an IPv4 address at the end for two.
func isIPv6(s []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(s, []byte("::")) {
		gap, s = true, s[2:]
	}
	for len(s) > 0 {
		digits := 0
		for digits < len(s) && isHex(s[digits]) {
			digits++
		}
		if digits < len(s) && s[digits] == '.' {
			groups += 2
			return isIPv4(s) && enoughGroups(groups, gap)
		}
		if groups++; digits == 0 || digits > 4 || groups > 8 {
			return false
		}
		if s = s[digits:]; len(s) == 0 {
			break
		}
		if s[0] != ':' || len(s) == 1 {
			return false
		}
		if s = s[1:]; s[0] == ':' {
			if gap {
				return false
			}
			gap, s = true, s[1:]
		}
	}
	return enoughGroups(groups, gap)
}

// enoughGroups: all eight, or fewer and a gap for the rest.
func enoughGroups(groups int, gap bool) bool {
	if gap {
		return groups < 8
	}
	return groups == 8
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// isEmail is OCSF's pattern for email_t, written out: ^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$
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
