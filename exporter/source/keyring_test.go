package source

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keysOfServer is a client with two key files, and a server that accepts some keys.
type keysOfServer struct {
	t           *testing.T
	client      *Client
	first, next string // files
	accepted    map[string]bool
	status      int      // of refusals
	sent        []string // keys
}

func newKeysOfServer(t *testing.T) *keysOfServer {
	dir := t.TempDir()
	k := &keysOfServer{t: t, first: filepath.Join(dir, "first"), next: filepath.Join(dir, "next"), status: 401}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("X-API-Key")
		if k.sent = append(k.sent, key); !k.accepted[key] {
			w.WriteHeader(k.status)
		}
	})
	k.client = newTestClient(t, nil, "endpoint", server.URL, "api_key_file", k.first, "api_key_file_next", k.next)
	return k
}

func (k *keysOfServer) write(file, key string) {
	k.t.Helper()
	require.NoError(k.t, os.WriteFile(file, []byte(key+"\n"), 0o600))
}

// ask returns the keys that one request sent, and its error.
func (k *keysOfServer) ask() ([]string, error) {
	k.sent = nil
	response, err := k.client.Open(k.t.Context(), testStart, testEnd)
	if err == nil {
		require.NoError(k.t, response.Body.Close())
	}
	return k.sent, err
}

func (k *keysOfServer) requireSent(keys ...string) {
	k.t.Helper()
	sent, err := k.ask()
	require.NoError(k.t, err)
	require.Equal(k.t, keys, sent)
}

func TestTheNextKeyIsTriedWhenTheFirstIsRefused(t *testing.T) {
	for _, status := range []int{401, 403} {
		k := newKeysOfServer(t)
		k.status, k.accepted = status, map[string]bool{"key-one-1": true}
		k.write(k.first, "key-one-1")
		k.write(k.next, "key-two-2")
		k.requireSent("key-one-1")
		require.Empty(t, k.client.Switched())

		k.accepted = map[string]bool{"key-two-2": true}
		k.requireSent("key-one-1", "key-two-2")
		text := k.client.Switched()
		require.Equal(t, `the credential in use is now that of api_key_file_next "`+k.next+`", since api_key_file "`+
			k.first+`" is refused (`+map[int]string{401: "401 Unauthorized", 403: "403 Forbidden"}[status]+`)`, text)
		require.Empty(t, k.client.Switched(), "once")
		k.requireSent("key-two-2")
	}
}

// Whichever is refused, the other one is tried: the first may be made valid again.
func TestTheFirstKeyIsTriedWhenTheNextIsRefused(t *testing.T) {
	k := newKeysOfServer(t)
	k.accepted = map[string]bool{"key-two-2": true}
	k.write(k.first, "key-one-1")
	k.write(k.next, "key-two-2")
	k.requireSent("key-one-1", "key-two-2")
	k.accepted = map[string]bool{"key-one-1": true}
	k.requireSent("key-two-2", "key-one-1")
	k.requireSent("key-one-1")
}

func TestAKeyThatIsReplacedIsUsedAgain(t *testing.T) {
	k := newKeysOfServer(t)
	k.accepted = map[string]bool{"key-two-2": true, "key-three": true}
	k.write(k.first, "key-one-1")
	k.write(k.next, "key-two-2")
	k.requireSent("key-one-1", "key-two-2")
	k.write(k.first, "key-three")
	k.requireSent("key-three")
	require.Contains(t, k.client.Switched(), `is now that of api_key_file "`+k.first+`", which has changed`)

	k.accepted = map[string]bool{"key-two-2": true}
	k.requireSent("key-three", "key-two-2")
}

func TestTwoKeysThatAreRefusedAreToldBoth(t *testing.T) {
	k := newKeysOfServer(t)
	k.write(k.first, "key-one-1")
	k.write(k.next, "key-two-2")
	sent, err := k.ask()
	require.Equal(t, []string{"key-one-1", "key-two-2"}, sent)
	require.ErrorContains(t, err, `; api_key_file_next "`+k.next+`" is refused too`)
	require.Equal(t, ClassRefused, ClassOf(err))
	require.Empty(t, k.client.Switched())
}

// One that is the same, or not there, is not asked with: a second refusal tells nothing.
func TestANextKeyThatHelpsNotIsNotSent(t *testing.T) {
	k := newKeysOfServer(t)
	k.write(k.first, "key-one-1")
	sent, err := k.ask()
	require.Error(t, err)
	require.Equal(t, []string{"key-one-1"}, sent)
	k.write(k.next, "key-one-1")
	sent, err = k.ask()
	require.Error(t, err)
	require.Equal(t, []string{"key-one-1"}, sent)
	require.False(t, k.client.Renewed())
}

func TestTheNextKeyStandsInForAFileThatIsGone(t *testing.T) {
	k := newKeysOfServer(t)
	k.accepted = map[string]bool{"key-two-2": true, "key-one-1": true}
	k.write(k.next, "key-two-2")
	k.requireSent("key-two-2")
	require.Contains(t, k.client.Switched(), "no such file or directory")
	k.write(k.first, "key-one-1")
	k.requireSent("key-one-1")
}

// Only what may help is worth a request at once.
func TestRenewed(t *testing.T) {
	k := newKeysOfServer(t)
	_, err := k.ask()
	require.Error(t, err)
	require.False(t, k.client.Renewed(), "nothing is there")
	k.write(k.first, "")
	require.False(t, k.client.Renewed(), "it is empty")
	k.write(k.first, "two words")
	require.False(t, k.client.Renewed(), "it cannot be sent")
	k.write(k.first, "key-one-1")
	require.True(t, k.client.Renewed())
	_, err = k.ask()
	require.Error(t, err)
	k.write(k.first, "key-one-1")
	require.False(t, k.client.Renewed(), "it was written again and is the same")
	k.write(k.next, "key-two-2")
	require.True(t, k.client.Renewed())
}

// A file that somebody is about to write is no mistake; what only a person can put right is one.
func TestCheckOfCredentials(t *testing.T) {
	dir := t.TempDir()
	none, empty, two := filepath.Join(dir, "none"), filepath.Join(dir, "empty"), filepath.Join(dir, "two")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	require.NoError(t, os.WriteFile(two, []byte("hush hush"), 0o600))
	for _, fine := range []Credentials{
		{APIKeyFile: none},
		{APIKeyFile: empty},
		{BearerTokenFile: none},
		{APIKey: "key", APIKeyFileNext: none},
		{APIKeyFile: none, APIKeyFileNext: empty},
		{APIKeyFile: none, Variable: "WHEROBOTS_API_KEY_FILE"},
		{APIKeyFile: filepath.Join(none, "key")}, // its directory may come as well
	} {
		require.NoError(t, fine.Check())
	}
	for want, wrong := range map[string]Credentials{
		`api_key_file "` + dir + `": is not a regular file`:             {APIKeyFile: dir},
		`api_key_file_next "` + dir + `": is not a regular file`:        {APIKey: "key", APIKeyFileNext: dir},
		`KEY_FILE "` + two + `": has a space in it`:                     {APIKeyFile: two, Variable: "KEY_FILE"},
		"api_key_file (its value, which is not shown, is not a path): ": {APIKeyFile: "Wb-0123/abc"},
		"api_key: is empty": {},
	} {
		err := wrong.Check()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hush hush")
		require.NotContains(t, err.Error(), "0123")
	}
}

func TestExpiryIsToldInTime(t *testing.T) {
	at := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	e := Expiry{At: at}
	told := map[string]string{}
	for now := at.Add(-40 * 24 * time.Hour); now.Before(at.Add(48 * time.Hour)); now = now.Add(time.Hour) {
		if text := e.Due(now); text != "" {
			told[at.Sub(now).String()] = text
		}
	}
	const rest = ", at 2026-12-31T00:00:00Z, as credential_expires says: replace it in time, and set that anew"
	require.Equal(t, map[string]string{
		"720h0m0s": "the credential expires in 30 days" + rest,
		"168h0m0s": "the credential expires in 7 days" + rest,
		"24h0m0s":  "the credential expires in 1 day" + rest,
		"0s": "the credential has expired at 2026-12-31T00:00:00Z, as credential_expires says: replace it, and set that " +
			"anew",
	}, told)
	require.Empty(t, new(Expiry).Due(at), "nobody knows")
	late := Expiry{At: at}
	require.Contains(t, late.Due(at.Add(-3*24*time.Hour)), "expires in 3 days", "a start in between tells once")
	require.Empty(t, late.Due(at.Add(-3*24*time.Hour+time.Minute)))
}
