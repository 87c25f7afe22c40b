package logline

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Repeats
		assert.True(t, r.Due("503; request id ab-1"))
		assert.False(t, r.Due("503; request id cd-2"))
		assert.False(t, r.Due("504; request id cd-2"), "a number is no other kind")
		assert.True(t, r.Due("refused"))
		assert.True(t, r.Due("503; request id ab-1"), "it changed")
		time.Sleep(RareInterval)
		assert.True(t, r.Due("503; request id ab-1"), "now and then")
		assert.False(t, r.Due("503; request id ab-1"))
		r.Over()
		assert.True(t, r.Due("503; request id ab-1"))
	})
}
