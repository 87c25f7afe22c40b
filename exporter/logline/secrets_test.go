package logline

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const key = `Wb-"key"&0123456789<abcdef>/+z`

func TestRedactFindsEachForm(t *testing.T) {
	var s Secrets
	s.Hide("an-older-key-0001")
	s.Hide(key)
	for name, form := range map[string]string{
		"plain": key, "upper case": strings.ToUpper(key), "lower case": strings.ToLower(key), "html": html.EscapeString(key),
		"url in a url": url.QueryEscape(url.QueryEscape(key)), "JSON of PHP": strings.ReplaceAll(key, "/", `\/`),
		"JSON of .NET": strings.ReplaceAll(key, "+", `\u002B`), "JSON of Gson": strings.ReplaceAll(key, "=", `\u003d`),
		"Mustache": `Wb-&quot;key&quot;&amp;0123456789&lt;abcdef&gt;&#x2F;+z`,
		"url":      url.QueryEscape(key), "base64": base64.StdEncoding.EncodeToString([]byte(key)),
		"hex":    hex.EncodeToString([]byte(key)),
		"quote":  strings.ReplaceAll(url.QueryEscape(key), "%2F", "/"),
		"older":  "an-older-key-0001",
		"quoted": strings.Trim(strconv.Quote(key), `"`), "json": `Wb-\"key\"\u00260123456789\u003cabcdef\u003e/+z`,
	} {
		text := s.Redact("é before " + form + ", and " + form + " after")
		require.NotContains(t, strings.ToLower(text), strings.ToLower(form)[:leastPart], name)
		require.Contains(t, text, "é before "+Redacted, name)
		require.Contains(t, text, " after", name)
	}
	require.Equal(t, "nothing to hide…", s.Redact("nothing to hide…"))
	for _, before := range []string{"u", "me", "bob"} {
		text := base64.StdEncoding.EncodeToString([]byte(before + ":" + key + "\n"))
		require.Regexp(t, `^[[:alnum:]]{0,7}\[redacted\][[:alnum:]=]{0,4}$`, s.Redact(text), "behind a name")
	}
	s.Hide("pässword-1")
	require.Equal(t, Redacted, s.Redact(`p\u00e4ssword-1`), "JSON in ASCII")
}

// A text may be cut before it becomes a line: what is left of a secret goes too, wherever the cut is.
func TestRedactTakesWhatACutLeft(t *testing.T) {
	var s Secrets
	s.Hide(key)
	for n := leastPart; n < len(key); n++ {
		for _, text := range []string{"begins with " + key[:n], "begins with " + key[:n] + "…; request id r-1"} {
			require.NotContains(t, s.Redact(text), key[:leastPart], text)
			require.Contains(t, s.Redact(text), "begins with ")
		}
	}
}

func TestWhatIsShortIsNoSecret(t *testing.T) {
	var s Secrets
	s.Hide("te")
	require.Equal(t, "a text", s.Redact("a text"))
}

func TestManySecretsAreBounded(t *testing.T) {
	var s Secrets
	for n := range 1000 {
		s.Hide(strings.Repeat("x", 8) + strings.Repeat("y", n))
	}
	require.LessOrEqual(t, len(s.forms), mostForms)
}

// A line is redacted before it is cut: no secret is left at its end.
func TestALineIsRedactedAndThenCut(t *testing.T) {
	var q Queue
	q.Hide(key)
	for room := range len(key) + 20 {
		q.Warnf("%s%s", strings.Repeat("x", maxLine-room), key)
		line := q.Drain()[0].Text
		require.NotContains(t, line, key[:leastPart])
		require.LessOrEqual(t, len(line), maxLine)
	}
}

// The key that came after may begin with the one before: nothing of the longer stays.
func TestAKeyThatBeginsWithAnotherGoesWhole(t *testing.T) {
	for _, keys := range [][]string{{"a-key-0001", "a-key-0001-tail"}, {"a-key-0001-tail", "a-key-0001"}} {
		var s Secrets
		s.Hide(keys[0])
		s.Hide(keys[1])
		require.Equal(t, "x "+Redacted+" y", s.Redact("x a-key-0001-tail y"))
	}
}

// Who sends megabytes of what redaction looks for must not stop the collection with it.
func TestRedactionOfMegabytesTakesNoLonger(t *testing.T) {
	var s Secrets
	s.Hide(key)
	began := time.Now()
	require.Equal(t, strings.Repeat("…", 1<<20), s.Redact(strings.Repeat("…", 1<<20)))
	require.NotContains(t, s.Redact(strings.Repeat(key, 1<<16)), key)
	require.Less(t, time.Since(began), 20*time.Second)
}

// A key that changes often must not push out a secret that is still in use.
func TestWhatIsInUseIsNotForgotten(t *testing.T) {
	var s Secrets
	for n := range 1000 {
		s.Hide(key)
		s.Hide("key-of-before-" + strconv.Itoa(n))
	}
	require.Equal(t, Redacted, s.Redact(key))
}
