package exportertest

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answered is all that a client sees of an export and of the sister operation, in a window with
// events, one without, an old one and one that is not over.
func answered(t *testing.T, s *Server) string {
	t.Helper()
	text := ""
	for _, path := range []string{Path, CountPath} {
		for _, w := range [][2]time.Duration{
			{-time.Hour, 0}, {-3 * time.Hour, -2 * time.Hour}, {-Retention - 1, -Retention}, {-1, -1}, {0, time.Hour},
		} {
			address := "https://api.example.test" + path + "?" + window(now.Add(w[0]), now.Add(w[1])).Encode()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			require.NoError(t, err)
			request.Header.Set("X-API-Key", testKey)
			response, err := s.Transport().RoundTrip(request)
			require.NoError(t, err)
			got, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			text += fmt.Sprintln(response.Proto, response.Status, response.Header, response.TransferEncoding, response.Close)
			text += string(got)
		}
	}
	return text
}

// Each ill has a name of its own, and shows somewhere.
func TestIlls(t *testing.T) {
	events := Generate(1, 200, now.Add(-time.Hour), now)
	late := at("late", -time.Hour+time.Minute)
	late.Visible = now.Add(-time.Second)
	coming := at("coming", -time.Minute)
	coming.Visible = now.Add(time.Second)
	events = append(events, late, coming)
	plain := answered(t, newServer(Answers{}, events...))
	assert.Equal(t, plain, answered(t, newServer(Answers{}, events...)))
	names := map[string]bool{}
	for _, ill := range Ills() {
		t.Run(ill.Name, func(t *testing.T) {
			assert.False(t, names[ill.Name], "a name of its own")
			names[ill.Name] = true
			s := newServer(Answers{}, events...)
			s.SetAnswers(ill.Change(20))
			if ill.Name == "unsolicited answer" { // shows on sockets only
				assert.Contains(t, wire(t, s), "HTTP/1.1 400 Bad Request\r\nX-API-Key: key")
			} else {
				assert.NotEqual(t, plain, answered(t, s))
			}
			assert.Equal(t, IllNames()[len(names)-1], ill.Name)
		})
	}
}

func TestSizesOfIlls(t *testing.T) {
	for size, want := range map[int]int{-1: 1, 0: 1, 1: 1, 7: 7, MostSize: MostSize, MostSize + 1: MostSize} {
		var a Answers
		Ills()[0].Change(size)(&a)
		assert.Equal(t, SilentLimit{Rows: want}, a.Limit)
	}
}

// Chaos draws each ill that shows itself, and none that costs something by coming once.
func TestChaosOfIlls(t *testing.T) {
	s := newServer(Answers{})
	s.SetChaos(Chaos{Seed: 1, Ill: 0.5, Fail: 0.1})
	drawn, sizes, healthy := map[string]bool{}, map[int]bool{}, 0
	for range 5000 {
		fault := s.chaos.draw()
		if fault.none() {
			healthy++
		}
		if fault.Change != nil {
			drawn[fault.Name] = true
			var a Answers
			fault.Change(&a)
			sizes[a.Limit.Rows] = true
		}
	}
	assert.InDelta(t, 2000, healthy, 200)
	for _, ill := range Ills() {
		assert.Equal(t, !ill.Silent && !ill.Alters, drawn[ill.Name], ill.Name)
	}
	assert.Greater(t, len(sizes), 10, "each has many sizes")
	s.SetChaos(Chaos{Seed: 1, Ill: 1})
	response, err := ask(t, s, nil, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Contains(t, IllNames(), last(s).Fault)
}
