package whole

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
)

// readings tells u of readings with these ids, and returns what the last one made of the window.
func readings(u *Unframed, answers ...[]uint64) (believed bool, err error) {
	for _, ids := range answers {
		for _, id := range ids {
			u.Note(dedup.Identity{ID: id}, false)
		}
		believed, err = u.End()
	}
	return believed, err
}

func TestAnUnframedAnswerIsBelievedWhenItComesAgain(t *testing.T) {
	whole, cut, other := []uint64{1, 2, 3}, []uint64{1, 2}, []uint64{1}
	for name, c := range map[string]struct {
		answers  [][]uint64
		believed bool
		fails    bool
	}{
		"once":             {[][]uint64{whole}, false, false},
		"twice":            {[][]uint64{whole, whole}, true, false},
		"in another order": {[][]uint64{whole, {3, 1, 2}}, true, false},
		"empty":            {[][]uint64{{}}, false, false},
		"empty twice":      {[][]uint64{{}, {}}, true, false},
		"empty first":      {[][]uint64{{}, whole}, false, false},
		"cut first":        {[][]uint64{cut, whole}, false, false},
		"cut second":       {[][]uint64{whole, cut}, false, false},
		"cut in between":   {[][]uint64{whole, cut, whole}, true, false},
		"cut twice":        {[][]uint64{whole, cut, cut}, false, false},
		"another row":      {[][]uint64{whole, {1, 2, 4}}, false, false},
		"one more before":  {[][]uint64{whole, {1, 5, 2, 3}}, true, false},
		"one more behind":  {[][]uint64{whole, {1, 2, 3, 5}}, false, false},
		"never the same":   {[][]uint64{other, cut, whole, {1, 2, 3, 4}, {1, 2, 3, 4, 5}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			believed, err := readings(new(Unframed), c.answers...)
			require.Equal(t, c.believed, believed)
			require.Equal(t, c.fails, err != nil)
		})
	}
}

func TestARowWithoutALineEndHasToComeTwice(t *testing.T) {
	u := new(Unframed)
	cut, whole := dedup.Identity{ID: 2, Content: 1}, dedup.Identity{ID: 2, Content: 2}
	require.False(t, u.Note(cut, true))
	require.False(t, u.Note(whole, true), "it was cut inside a field")
	require.True(t, u.Note(whole, true))
	require.True(t, u.Note(cut, false))
}
