package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
)

// What an operator sees, and what later versions must be able to read.
func TestFormat(t *testing.T) {
	state := testState(1)
	state.Seen, state.Reconciled = []byte{1, 2, 255}, time.Time{}
	var out bytes.Buffer
	require.NoError(t, encode(&out, testSource, state, time.Date(2026, 3, 1, 12, 2, 0, 0, time.UTC)))
	_, text, _ := strings.Cut(out.String(), "")
	pid := text[strings.Index(text, `"saved_by_pid": `)+len(`"saved_by_pid": `):]
	pid = pid[:strings.Index(pid, ",")]
	beforeSum := text[:strings.Index(text, trailerStart)]
	assert.Equal(t, strings.ReplaceAll(`{
  "format": 1,
  "source": {
    "endpoint": "https://api.example.test",
    "search_term": "login"
  },
  "through": "2026-03-01T12:01:00.123456789Z",
  "from": "2026-03-01T11:01:00.123456789Z",
  "reconciled": "never",
  "saved_at": "2026-03-01T12:02:00Z",
  "saved_by_pid": PID,
  "columns": [
    "event_id",
    "event_time",
    "column <1> \"é\""
  ],
  "key": "a2V5LTAwMDAwMDAwMDAwMQ==",
  "minutes": "bWludXRlcy0x",
  "seen": "AQL/"`, "PID", pid)+trailer(xxh3.HashString(beforeSum)), text)
}

func TestEveryBitCounts(t *testing.T) {
	state := testState(1)
	state.Seen = state.Seen[:40]
	var out bytes.Buffer
	require.NoError(t, encode(&out, testSource, state, time.Now()))
	data := out.Bytes()
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			_, _, err := decode(data)
			require.Error(t, err, "bit %d of byte %d", bit, i)
			data[i] ^= 1 << bit
		}
	}
	for n := range data {
		_, _, err := decode(data[:n])
		require.Error(t, err, "first %d bytes", n)
	}
	_, got, err := decode(data)
	require.NoError(t, err)
	assert.Equal(t, state, got)
}

func TestSameSource(t *testing.T) {
	for a, b := range map[string]string{
		"https://API.Example.test/":             "https://api.example.test",
		"HTTPS://api.example.test:443":          "https://api.example.test",
		"http://api.example.test:80/":           "http://api.example.test",
		"http://[::1]:80":                       "http://[::1]",
		"https://api.example.test/base//":       "https://api.example.test/base",
		"https://me:secret@api.example.test":    "https://api.example.test",
		"https://api.example.test?token=secret": "https://api.example.test",
	} {
		assert.Equal(t, b, normalEndpoint(a))
		assert.Equal(t, b, normalEndpoint(b), "again")
	}
	for _, other := range []string{
		"http://api.example.test", "https://api.example.test:8443", "https://api.example.test/base",
		"https://api.example.test/Base",
		"https://api.example.test:80", "https://api2.example.test", "not a url", "",
	} {
		assert.NotEqual(t, "https://api.example.test", normalEndpoint(other))
	}
	path := filepath.Join(t.TempDir(), "audit.json")
	for _, spelling := range []string{"https://api.example.test", "https://API.example.test:443/"} {
		f, err := Open(path, Source{Endpoint: spelling, SearchTerm: "a\xffb"})
		require.NoError(t, err)
		require.NoError(t, f.Save(testState(1)))
		require.NoError(t, f.Close())
	}
}

// Whatever lies there, Open gives a state that a collection can have left, or refuses.
func FuzzOpen(f *testing.F) {
	whole := valid(f)
	small := reseal(strings.Replace(
		whole, whole[strings.Index(whole, `"seen": "`)+9:strings.Index(whole, trailerStart)-1], "", 1,
	))
	for _, seed := range []string{
		"", "{", "null", small, small[:len(small)/2], strings.Replace(small, "2026", "0001", 1),
		`{"format": 2}`, `{"format":1}`, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(seed))
	}
	dir := memoryDir(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		// The bytes as they are, and with a checksum that fits, so that fuzzing gets behind it.
		for _, data := range [][]byte{data, []byte(reseal(string(data)))} {
			path := filepath.Join(dir, "audit.json")
			require.NoError(t, os.WriteFile(path, data, 0o600))
			file, err := Open(path, testSource)
			if err != nil {
				require.Nil(t, file)
				require.True(t, strings.HasPrefix(err.Error(), path+": "), err)
				continue
			}
			state, found := file.State()
			require.True(t, found)
			require.NoError(t, state.validate())
			require.NoError(t, file.Close())
			var again bytes.Buffer
			require.NoError(t, encode(&again, testSource, state, time.Now()))
			source, same, err := decode(again.Bytes())
			require.NoError(t, err, "what was read can be written")
			require.Equal(t, testSource, source)
			require.Equal(t, state, same)
		}
	})
}

// valid returns the file of testState(1).
func valid(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, encode(&out, testSource, testState(1), time.Date(2026, 3, 1, 12, 2, 0, 0, time.UTC)))
	return out.String()
}

// reseal gives text a checksum that fits.
func reseal(text string) string {
	if i := strings.LastIndex(text, trailerStart); i >= 0 {
		text = text[:i]
	}
	return text + trailer(xxh3.HashString(text))
}

// sealed writes the file of testState(1) with a change and a checksum that fits.
func sealed(t *testing.T, old, text string) func(*testing.T, string) {
	t.Helper()
	changed := strings.Replace(valid(t), old, text, 1)
	require.NotEqual(t, valid(t), changed)
	return content(reseal(changed))
}
