package whole

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestADoubtfulEndIsBelievedWhenItComesAgain(t *testing.T) {
	var d Ends
	footer := func(text string) csv.End { return csv.End{Text: []byte(text), Torn: true} }
	require.False(t, d.Believe(windowsBegin, footer("Total,20"), 20))
	require.True(t, d.Believe(windowsBegin, footer("Total,121"), 121), "a footer counts")
	require.False(t, d.Believe(windowsBegin, footer("Total,121"), 121), "the next answer has to come twice too")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Total,121"), 121), "another window")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), 121), "another end")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), 120), "fewer rows before it")
	require.True(t, d.Believe(windowsBegin.Add(1), footer("Tota"), 120))
}

func TestAnErrorBehindRowsHasToComeFiveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Ends
		end := csv.End{Text: []byte(exportertest.ErrorBehind), Foreign: true}
		for range 3 {
			require.False(t, d.Believe(windowsBegin, end, 10))
		}
		time.Sleep(errorTime)
		for n := range 4 {
			require.False(t, d.Believe(windowsBegin, end, 9+n), "fewer rows before it begin anew")
		}
		require.False(t, d.Believe(windowsBegin, end, 12), "and for ten minutes")
		time.Sleep(errorTime)
		require.True(t, d.Believe(windowsBegin, end, 12))
		require.True(t, d.Believe(windowsBegin.Add(1), end, 1), "somebody chose it, and it comes with each poll")
		other := csv.End{Text: []byte(exportertest.PageBehind), Foreign: true}
		require.False(t, d.Believe(windowsBegin.Add(1), other, 1))
	})
}
