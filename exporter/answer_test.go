package exporter

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// stallsInTheSecondWindow starts a collection of two windows, the second of which stops in the middle of its answer.
func stallsInTheSecondWindow(h *simHost) (firstEnd time.Time) {
	firstEnd = time.Now().Add(-30 * time.Minute)
	h.happen(3600)
	none := exportertest.Fault{} // the first window is read in halves, too
	h.server.Fail(none, none, none, none, exportertest.Fault{StallAfter: 1000})
	h.start()
	return firstEnd
}

var twoWindows = map[string]string{"max_window": "30m", "request_timeout": "1h"}

func TestWhatIsSafeIsSavedWhileTheEndpointLetsWait(t *testing.T) {
	inBubble(t, twoWindows, func(h *simHost) {
		firstEnd := stallsInTheSecondWindow(h)
		time.Sleep(10 * time.Second)
		require.Len(t, h.exports(), 5, "the fifth request must be the one that stalls")
		require.GreaterOrEqual(t, h.e.Stats().ThroughSeconds, float64(firstEnd.Unix())-600)
		h.kill()
		h.start()
		time.Sleep(time.Minute)
		h.requireOnce()
	})
}

func TestADoubtEndsAReadThatWaits(t *testing.T) {
	inBubble(t, twoWindows, func(h *simHost) {
		h.setSlow(true)
		stallsInTheSecondWindow(h)
		time.Sleep(10 * time.Second)
		require.Contains(t, h.logged(), "its buffer was full")
		h.setSlow(false)
		time.Sleep(5 * time.Minute)
		require.Greater(t, len(h.exports()), 5, "the window that stalls would have been waited for an hour")
		h.requireAll()
	})
}

// slowReader gives a byte after a while.
type slowReader time.Duration

func (s slowReader) Read(p []byte) (int, error) {
	time.Sleep(time.Duration(s))
	return copy(p, "x"), nil
}

// Whether the keeper has begun or not, end leaves nothing of it behind.
func TestKeeperEndsWithEachRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := handover.NewLedger(handover.OnTime, 1000)
		c := &commits{ledger: ledger}
		keep := upkeep{changed: ledger.Changed, settle: c.settle}
		a := newAnswer(&source.Response{}, func() {}, keep, new(atomic.Int64))
		for _, wait := range []time.Duration{0, keeperPatience - 1, keeperPatience, keeperPatience + 1, time.Hour, 0} {
			a.Body = io.NopCloser(slowReader(wait))
			wake(ledger)
			n, err := a.readBody(make([]byte, 1))
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}
		synctest.Wait() // and a keeper that still ran would make the bubble fail
	})
}

func TestAPanicOfASaveIsADoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := handover.NewLedger(handover.OnTime, 1000)
		c := &commits{ledger: ledger, flights: []flight{{}}} // without a file to save to
		keep := upkeep{changed: ledger.Changed, settle: c.settle}
		ctx := make(chan struct{})
		response := &source.Response{Body: io.NopCloser(waiting(ctx))}
		a := newAnswer(response, func() { close(ctx) }, keep, new(atomic.Int64))
		wake(ledger)
		_, err := a.readBody(make([]byte, 1))
		require.ErrorContains(t, err, "a defect of the plugin")
	})
}

// waiting is a body that gives nothing until it is abandoned.
type waiting chan struct{}

func (w waiting) Read([]byte) (int, error) {
	<-w
	return 0, io.ErrUnexpectedEOF
}

// One connection is enough for everything that an instance asks, the first question for the server's time included.
func TestAllRequestsUseOneConnection(t *testing.T) {
	const windows = 4
	var mu sync.Mutex
	peers, requests := map[string]bool{}, 0
	enough := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "event_id,event_time,action_name\n1,2020-01-01T00:00:00Z,a\n")
		mu.Lock()
		defer mu.Unlock()
		peers[r.RemoteAddr] = true
		if requests++; requests == 1+windows {
			close(enough)
		}
	})
	cfg, err := config.Parse(func(key string) string {
		return map[string]string{
			"endpoint": server.URL, "api_key": "k", "checkpoint_path": filepath.Join(t.TempDir(), "c.json"),
			"start_time": "-1h", "max_window": "15m", "overlap": "0s",
		}[key]
	})
	require.NoError(t, err)
	e, err := newExporter(context.Background(), cfg, handover.OnTime, nil, nil, nil)
	require.NoError(t, err)
	e.Start()
	select {
	case <-enough:
	case <-time.After(20 * time.Second):
		t.Error(e.Lines())
	}
	require.NoError(t, e.Close())
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, peers, 1)
}

// wake makes the collector look at the ledger.
func wake(l *handover.Ledger) {
	select {
	case l.Changed <- struct{}{}:
	default:
	}
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}
