package moves

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

func at(minutes float64) time.Time { return now.Add(time.Duration(minutes * float64(time.Minute))) }

// gaps are two stretches that were left out, 10.5 to 20.5 and 30 to 40 minutes from now, and a rewind, which is none.
var gaps = List{
	{Kind: checkpoint.Forwarded, From: at(10.5), To: at(20.5), Told: true},
	{Kind: checkpoint.Rewound, From: at(60), To: at(25), Told: true},
	{Kind: checkpoint.Forwarded, From: at(30), To: at(40), Told: true},
}

func TestWhatWasLeftOut(t *testing.T) {
	left := func(start, end float64) bool {
		_, ok := gaps.LeftOut(at(start), at(end))
		return ok
	}
	require.False(t, left(0, 10.5), "its end is not part of it")
	require.True(t, left(0, 10.6))
	require.True(t, left(20, 21))
	require.False(t, left(20.5, 30))
	require.False(t, left(40, 59))
	require.Equal(t, at(9), gaps.Behind(at(9)))
	require.Equal(t, at(21), gaps.Behind(at(10)))
	require.Equal(t, at(21), gaps.Behind(at(20)))
	require.Equal(t, at(40), gaps.Behind(at(30)))
	require.Equal(t, at(10), gaps.Until(at(5), at(25)))
	require.Equal(t, at(8), gaps.Until(at(5), at(8)))
	require.Equal(t, at(30), gaps.Until(at(21), at(50)))
	require.Equal(t, at(70), gaps.Until(at(45), at(70)))
	require.Equal(t, at(60), gaps.Reached())
}

// What was left out matters for as long as the endpoint has it, a rewind until all is collected again, and whatever was
// not told until it is.
func TestWhatIsForgottenOfMoves(t *testing.T) {
	require.Len(t, gaps.Since(at(59)), 3)
	require.Len(t, gaps.Since(at(60)), 2)
	gone := source.Retention + time.Hour
	require.Len(t, gaps.Since(at(20.5).Add(gone)), 2)
	require.Len(t, gaps.Since(at(20.6).Add(gone)), 1)
	require.Empty(t, gaps.Since(at(41).Add(gone)))
	untold := List{
		{Kind: checkpoint.Forwarded, From: at(1), To: at(2)}, {Kind: checkpoint.Rewound, From: at(3), To: at(2)},
	}
	require.Len(t, untold.Since(at(99).Add(gone)), 2)
	require.Len(t, untold.Untold(), 2)
	require.Empty(t, untold.Told().Untold())
	require.Len(t, untold.Untold(), 2, "the list itself stays as it was")
}
