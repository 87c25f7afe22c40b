package handover

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// holds returns at which seconds of so many the hand-over begins to be held, and is opened again.
func (f *watched) holds(seconds int) (changes []int) {
	for n := range seconds {
		before := f.l.hold
		f.look(1)
		if f.l.hold != before {
			changes = append(changes, n+1)
		}
	}
	return changes
}

// Under a steady stream the chunks are never all gone, so the engine gets time to drain; but one dead output must not
// stop the others: while holding it does not help, it is open for longer each time.
func TestWhenTheHandOverIsHeld(t *testing.T) {
	watch(t, func(f *watched) {
		require.Equal(t, []int{6, 36, 48, 78}, f.holds(89))
		f.delivered()
		f.requireSafe(1, 5)
		require.False(t, f.l.hold)
	})
	watch(t, func(f *watched) { // only standing still can show that what is not counted is lost
		f.s.inputOf("audit").records = 7
		f.l.Pause() // so that it is not lost yet
		require.Equal(t, []int{6, 72, 84}, f.holds(100))
		f.requireSaid("the engine has not taken in 3 records")
	})
}

// What is delivered, refused or in doubt opens the hand-over at once.
func TestWhatOpensTheHandOver(t *testing.T) {
	for name, open := range map[string]func(f *watched){
		"delivery": func(f *watched) { f.delivered() },
		"a drop":   func(f *watched) { f.s.outputOf("siem").dropped = 1 },
		"a loss":   func(f *watched) { f.s.chunks, f.s.onDisk = 0, 0 },
	} {
		watch(t, func(f *watched) {
			f.look(12)
			require.True(t, f.l.hold, name)
			open(f)
			f.look(2)
			require.False(t, f.l.hold, name)
		})
	}
}
