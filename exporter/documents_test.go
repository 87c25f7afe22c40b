package exporter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

// maxReadmeWords keeps the README short enough to be read. What does not fit belongs in docs/.
const maxReadmeWords = 1300

func TestReadmeIsShort(t *testing.T) {
	words := len(strings.Fields(readDocument(t, "README.md")))
	assert.LessOrEqual(t, words, maxReadmeWords, "words in README.md; move something to docs/")
}

// TestLinksLeadSomewhere follows every relative link of every document to its file and heading.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, document := range documents(t) {
		for _, link := range relativeLinks(readDocument(t, document)) {
			links++
			assert.NoError(t, follow(document, link), "%s links to %s", document, link)
		}
	}
	assert.NotZero(t, links)
}

// TestBrokenLinksAreFound shows that the test above can fail.
func TestBrokenLinksAreFound(t *testing.T) {
	assert.Error(t, follow("README.md", "docs/nothing.md"))
	assert.Error(t, follow("docs/design.md", "#no-such-heading"))
	assert.Equal(t, []string{"a.md", "b.md#c"},
		relativeLinks("[x](a.md) ![y](b.md#c \"title\") [z](https://example.com)\n```\n[no](link.md)\n```\n"))
	assert.Equal(t, map[string]bool{"which-commit_on": true, "a--b": true, "a--b-1": true},
		anchors("# Which `commit_on`?\n## A & b\n## A & b\n```sh\n# comment\n```\n"))
}

// documents lists the module's Markdown files, relative to its root.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && notSource[entry.Name()] {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			relative, err := filepath.Rel(moduleRoot, path)
			paths = append(paths, relative)
			return err
		}
		return err
	})
	require.NoError(t, err)
	return paths
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)
	elsewhere    = regexp.MustCompile(`^[a-z]+:`)
)

func relativeLinks(markdown string) (links []string) {
	for _, link := range markdownLink.FindAllStringSubmatch(withoutCode(markdown), -1) {
		if !elsewhere.MatchString(link[1]) {
			links = append(links, link[1])
		}
	}
	return links
}

// follow returns why a document's link leads nowhere, nil if it leads somewhere.
func follow(document, link string) error {
	path, anchor, hasAnchor := strings.Cut(link, "#")
	target := filepath.Join(moduleRoot, document)
	if path != "" {
		target = filepath.Join(filepath.Dir(target), filepath.FromSlash(path))
	}
	if !hasAnchor {
		_, err := os.Stat(target)
		return err
	}
	text, err := os.ReadFile(target)
	if err == nil && !anchors(string(text))[anchor] {
		err = errors.New("no such heading")
	}
	return err
}

// anchors returns the names that GitHub gives to a document's headings.
func anchors(markdown string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(withoutCode(markdown)) {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		name := golden.Anchor(strings.TrimSpace(heading))
		unique := name
		for n := 1; names[unique]; n++ {
			unique = name + "-" + strconv.Itoa(n)
		}
		names[unique] = true
	}
	return names
}

// withoutCode leaves out fenced blocks, whose brackets and number signs mean other things.
func withoutCode(markdown string) string {
	var text strings.Builder
	fenced := false
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if !fenced {
			text.WriteString(line)
		}
	}
	return text.String()
}
