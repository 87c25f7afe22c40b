package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCountsTests(t *testing.T) {
	got, shown := count(strings.NewReader(`
{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"fine\n"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"want 1, got 2\n"}
{"Action":"fail","Package":"p","Test":"B"}
{"Action":"output","Package":"p","Test":"C","Output":"no engine here\n"}
{"Action":"skip","Package":"p","Test":"C"}
{"Action":"output","Package":"p","Output":"hosts: bundled\n"}
{"Action":"fail","Package":"p"}
{"Action":"pass","Package":"q"}
`))
	assert.Equal(t, counts{passed: 1, failed: 1, skipped: 1}, got)
	assert.Equal(t, "\nwant 1, got 2\nno engine here\nhosts: bundled\n", shown)
}

// A package that does not compile, or whose process dies, has no failed test.
func TestPackageFailureCounts(t *testing.T) {
	got, shown := count(strings.NewReader(`
{"Action":"output","Package":"p","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}
`))
	assert.Equal(t, counts{failed: 1}, got)
	assert.Contains(t, shown, "panic: boom")
}

func TestStepFailsByExitCodeOrOutput(t *testing.T) {
	for name, c := range map[string]struct {
		step step
		want counts
	}{
		"passes":                {step{command: []string{"true"}}, counts{passed: 1}},
		"fails":                 {step{command: []string{"false"}}, counts{failed: 1}},
		"is missing":            {step{command: []string{"/nonexistent"}}, counts{failed: 1}},
		"prints and may":        {step{command: []string{"echo", "x"}}, counts{passed: 1}},
		"prints and must not":   {step{command: []string{"echo", "x"}, quiet: true}, counts{failed: 1}},
		"needs what is missing": {step{command: []string{"true"}, needs: "nonexistent-program"}, counts{skipped: 1}},
		"cannot run here":       {step{command: []string{"false"}, skip: "no such processor"}, counts{skipped: 1}},
		"test run that dies":    {step{command: []string{"false", "test"}}, counts{failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, run(c.step, io.Discard))
		})
	}
}

func TestLastLine(t *testing.T) {
	total := counts{passed: 1}
	total.add(counts{passed: 2, failed: 3, skipped: 4})
	assert.Equal(t, "3 passed, 3 failed, 4 skipped", total.String())
}

// Steps that run beside others fail and are counted as others do, and what they print stays together.
func TestStepsBesideOthers(t *testing.T) {
	var out strings.Builder
	got := runAll([]step{
		{name: "one", command: []string{"true"}},
		{name: "two", command: []string{"sh", "-c", "sleep 0.2; false"}, beside: true},
		{name: "three", command: []string{"false"}, beside: true},
		{name: "four", command: []string{"true"}},
		{name: "five", command: []string{"true"}, beside: true},
	}, &out)
	assert.Equal(t, counts{passed: 3, failed: 2}, got)
	var order []string
	for line := range strings.Lines(out.String()) {
		if word, name, ok := strings.Cut(line, "  "); ok && word != "begins" {
			name, _, _ = strings.Cut(strings.TrimSpace(name), ":")
			order = append(order, strings.TrimSpace(word)+" "+name)
		}
	}
	assert.Equal(t, []string{
		"ok one", "at once two", "at once three", "at once four", "FAILED two", "FAILED three", "ok four", "ok five",
	}, order)
}
