package schema

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestIsIP holds the hand-written check against netip, which it stands for.
func TestIsIP(t *testing.T) {
	for _, text := range []string{
		"", ":", "::", ":::", "1", "1.2.3.4", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0.0.0.0", "256.1.1.1",
		"255.255.255.255", "1..2.3", ".1.2.3.4", "1.2.3.4.",
		"::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "g::", "1:", ":1",
		"::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
		"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:6::1.2.3.4",
		"fe80::1%eth0", "2001:DB8::A", "203.0.113.7, 10.0.0.1", "10.0.0.1:443", "[::1]", " 1.2.3.4", "localhost",
		"1.2.3.4/24",
	} {
		requireSameIP(t, text)
	}
	alphabet := []rune("0123456789abcf:::...%g ")
	rapid.Check(t, func(rt *rapid.T) {
		requireSameIP(rt, rapid.StringOfN(rapid.RuneFrom(alphabet), 0, 42, -1).Draw(rt, "text"))
	})
	group := rapid.SampledFrom([]string{"", "0", "00", "1", "ffff", "12345", "1.2.3.4", "255.255.255.256"})
	rapid.Check(t, func(rt *rapid.T) {
		separator := rapid.SampledFrom([]string{":", "."}).Draw(rt, "separator")
		requireSameIP(rt, strings.Join(rapid.SliceOfN(group, 0, 9).Draw(rt, "groups"), separator))
	})
}

func FuzzIsIP(f *testing.F) {
	f.Add("1.2.3.4")
	f.Add("2001:db8::ffff:1.2.3.4")
	f.Fuzz(func(t *testing.T, text string) { requireSameIP(t, text) })
}

// requireSameIP holds isIP against what it promises: an address of netip's without a zone, in at most
// maxIPText bytes.
func requireSameIP(t require.TestingT, text string) {
	address, err := netip.ParseAddr(text)
	want := err == nil && address.Zone() == "" && len(text) <= maxIPText
	require.Equal(t, want, isIP([]byte(text)), "%q", text)
}

// TestIsEmail holds the hand-written check against OCSF's own pattern.
func TestIsEmail(t *testing.T) {
	pattern := regexp.MustCompile(readOCSFFacts(t).Types["email_t"].Regex)
	same := func(t require.TestingT, text string) {
		require.Equal(t, pattern.MatchString(text), isEmail([]byte(text)), "%q", text)
	}
	for _, text := range []string{
		"", "@", "a@b", "a@b.c", "a@b.", "a@.b", "a@b..c", "a.b+c,d@x-y.example.com", "a@b@c.d", "ada example@x.y",
		"ä@x.y", "a@x.ä", "a@b.c-", "a@-.-", "a@b.c\n",
	} {
		same(t, text)
	}
	alphabet := []rune("aZ9@@...-+_ ,:;ü\n")
	rapid.Check(t, func(rt *rapid.T) { same(rt, rapid.StringOf(rapid.RuneFrom(alphabet)).Draw(rt, "text")) })
}
