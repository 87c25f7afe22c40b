// Package pseudonym puts pseudonyms in the place of what names a person, on the way into the record: whoever has the
// key can find a person's events, and nobody without it can tell whose they are. Plain hashes would not do: there are
// so few addresses that all of them can be tried.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"unsafe"
)

// Prefix begins a pseudonym that stands for anything but an address.
const Prefix = "p-"

const (
	sumBytes   = 16     // of the HMAC that a pseudonym has: 128 bits
	textLength = 2 + 32 // of Prefix and the sum in hexadecimal
	leastKey   = 32     // bytes; an HMAC with a shorter key could be found by trying keys
	mostKey    = 4 << 10
	localIPv6  = 0xfd // the first byte of addresses that are nobody's in the Internet (RFC 4193)
)

// Key makes pseudonyms. It belongs to one goroutine. It holds the secret inside a hash, which formatting does not show.
type Key struct {
	mac     hash.Hash
	sum     [sha256.Size]byte
	spelled [16]byte // an address
}

// NewKey takes the bytes of a key.
func NewKey(secret []byte) (*Key, error) {
	switch {
	case len(secret) == 0:
		return nil, errors.New("is empty")
	case len(secret) < leastKey:
		return nil, fmt.Errorf("is shorter than %d bytes, so that it could be guessed", leastKey)
	case len(secret) > mostKey:
		return nil, fmt.Errorf("is longer than %d bytes", mostKey)
	}
	return &Key{mac: hmac.New(sha256.New, secret)}, nil
}

// Append appends the pseudonym of a value: of an address, in whatever spelling, an IPv6 address below fd00::/8, so that
// it fits where an address is wanted; of anything else a text. Nothing stays nothing.
func (k *Key) Append(dst, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	address, isAddress := addressIn(value)
	k.mac.Reset()
	if isAddress {
		k.spelled = address.As16() // the same for every spelling
		k.mac.Write(ofAddress)
		k.mac.Write(k.spelled[:])
	} else {
		k.mac.Write(value)
	}
	sum := k.mac.Sum(k.sum[:0])[:sumBytes]
	if isAddress {
		sum[0] = localIPv6
		return netip.AddrFrom16([16]byte(sum)).AppendTo(dst)
	}
	return hex.AppendEncode(append(dst, Prefix...), sum)
}

// ofAddress comes before an address, so that no text can be taken for one.
var ofAddress = []byte("address ")

// Of is Append for a person who asks.
func (k *Key) Of(value string) string { return string(k.Append(nil, []byte(value))) }

// addressIn reads an address. One with a zone is a name on some other machine, and is none here.
func addressIn(value []byte) (netip.Addr, bool) {
	const longest = 45 // of an IPv4-mapped address
	if len(value) < 2 || len(value) > longest {
		return netip.Addr{}, false
	}
	for _, c := range value { // ParseAddr makes an error of what is none, which costs
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == '.', c == ':':
		default:
			return netip.Addr{}, false
		}
	}
	address, err := netip.ParseAddr(unsafe.String(&value[0], len(value)))
	return address, err == nil
}
