package exporter

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moduleRoot is seen from this package's folder.
const moduleRoot = ".."

// TestDesignNamesTestsThatExist holds the rules of docs/design.md: a rule without a test is a wish, and a
// test that was renamed or deleted protects no rule.
func TestDesignNamesTestsThatExist(t *testing.T) {
	exists := map[string]bool{}
	eachGoFile(t, func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
				exists[f.Name.Name] = true
			}
		}
	})
	rules := strings.Split(betweenMarks(t, "docs/design.md", "rules"), "\n### ")[1:]
	assert.NotEmpty(t, rules)
	for number, rule := range rules {
		title, text, _ := strings.Cut(rule, "\n")
		assert.True(
			t, strings.HasPrefix(title, strconv.Itoa(number+1)+". "), "the rule %q is not number %d",
			title, number+1,
		)
		assert.Contains(t, text, "\n- ", "the rule %q has no test", title)
		for line := range strings.Lines(text) {
			if breach, isBreach := strings.CutPrefix(line, "- "); isBreach {
				names := testName.FindAllString(breach, -1)
				assert.NotEmpty(t, names, "the rule %q: no test after %q", title, breach)
				for _, name := range names {
					assert.True(t, exists[name], "the rule %q names %s, which does not exist", title, name)
				}
			}
		}
	}
}

var testName = regexp.MustCompile(`\b(Test|Fuzz)\w+`)

// TestTroubleshootingQuotesTheCode compares the messages in docs/troubleshooting.md, the code spans in the
// first column of its tables, with the string literals of the code: whoever rewords a message must tell those
// who look it up.
func TestTroubleshootingQuotesTheCode(t *testing.T) {
	var literals strings.Builder
	eachGoFile(t, func(path string, file *ast.File) {
		if strings.HasSuffix(path, "_test.go") || !isPlugin(path) {
			return
		}
		ast.Inspect(file, func(node ast.Node) bool {
			text, ok := literal(t, node)
			if ok {
				literals.WriteString(text + "\n")
			}
			return !ok
		})
	})
	text, _, found := strings.Cut(readDocument(t, "docs/troubleshooting.md"), "\n## Fluent Bit's own messages\n")
	require.True(t, found)
	quoted := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		message, _, _ := strings.Cut(line[2:], " |")
		for _, span := range codeSpan.FindAllString(message, -1) {
			for fragment := range strings.SplitSeq(strings.Trim(span, "`"), "…") {
				quoted++
				fragment = strings.Trim(fragment, " :;,")
				assert.True(
					t, strings.Contains(literals.String(), fragment),
					"no message of the code has %q of %s", fragment, span,
				)
			}
		}
	}
	assert.NotZero(t, quoted)
}

// literal returns the string that a literal is, or a sum of literals: a long one is written on several lines.
func literal(t *testing.T, node ast.Node) (text string, ok bool) {
	switch node := node.(type) {
	case *ast.BasicLit:
		if node.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(node.Value)
		require.NoError(t, err)
		return text, true
	case *ast.BinaryExpr:
		left, isLeft := literal(t, node.X)
		right, isRight := literal(t, node.Y)
		return left + right, isLeft && isRight && node.Op == token.ADD
	}
	return "", false
}

// isPlugin reports whether a file is part of the shared object, and so can write messages.
func isPlugin(path string) bool {
	for _, tool := range []string{"bench", "e2e", "exporter/exportertest"} {
		if strings.HasPrefix(path, filepath.Join(moduleRoot, tool)+string(filepath.Separator)) {
			return false
		}
	}
	return true
}

var codeSpan = regexp.MustCompile("`[^`]+`")

// eachGoFile parses every Go file of the module.
func eachGoFile(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && notSource[entry.Name()] {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := goparser.ParseFile(token.NewFileSet(), path, nil, goparser.SkipObjectResolution)
		if err == nil {
			visit(path, file)
		}
		return err
	})
	require.NoError(t, err)
}

// notSource names the folders that hold what was built or collected.
var notSource = map[string]bool{".git": true, "build": true, "state": true, "testdata": true}

func readDocument(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, path))
	require.NoError(t, err)
	return string(text)
}

func betweenMarks(t *testing.T, path, part string) string {
	t.Helper()
	_, rest, begun := strings.Cut(readDocument(t, path), "<!-- "+part+":begin -->\n")
	text, _, ended := strings.Cut(rest, "<!-- "+part+":end -->")
	require.True(t, begun && ended, "%s has no part %q", path, part)
	return text
}
