package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLogPrefix(t *testing.T) {
	assert.Equal(t, "[input:wherobots_audit:audit] ", logPrefix("audit"))
	assert.Equal(t, "[input:wherobots_audit] ", logPrefix(""), "a host that does not tell names")
}

func TestEngineInputIsTheInstancesName(t *testing.T) {
	for name, c := range map[string]struct {
		written map[string]string
		want    string
	}{
		"found by itself":       {map[string]string{"commit_on": "delivery"}, "audit"},
		"what is written wins":  {map[string]string{"commit_on": "delivery", "engine_input": "other"}, "other"},
		"with handoff too":      {nil, "audit"},
		"written, with handoff": {map[string]string{"engine_input": "other"}, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			get := settings(func(key string) string { return c.written[key] }, "audit")
			assert.Equal(t, c.want, get("engine_input"))
			assert.Equal(t, c.written["commit_on"], get("commit_on"))
		})
	}
}
