package handover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each asking wakes the process and has the engine write all its figures: new ones are all seen soon, and hardly any
// twice, whatever their phase and although their second is not quite ours.
func TestFiguresAreAskedForOnceASecond(t *testing.T) {
	const ms = time.Millisecond
	for _, second := range []time.Duration{997 * ms, 1000 * ms, 1003 * ms} {
		for _, phase := range []time.Duration{0, 10 * ms, 400 * ms, 900 * ms} {
			synctest.Test(t, func(t *testing.T) {
				const minute = 60
				var p freshness
				begin, asked, seen := time.Now(), 0, uint64(0)
				for time.Since(begin) < minute*time.Second {
					time.Sleep(max(watchClosely, p.rest()))
					if !p.due() {
						continue
					}
					asked++
					age := time.Since(begin) + phase
					renewed := uint64(age/second) + 1
					if again := p.sees(&snapshot{text: renewed, whole: true}); again {
						continue
					}
					if seen > 0 {
						require.Equal(t, seen+1, renewed, "%s, %s: none is missed", second, phase)
					}
					if seen > 4 { // its phase is known
						require.Less(t, age%second, watchClosely, "%s, %s: seen late", second, phase)
					}
					seen = renewed
				}
				require.Less(t, asked, minute*12/10, "%s, %s", second, phase)
			})
		}
	}
}
