package exporter

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	goparser "go/parser"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Bounds that keep a stranger from getting lost.
const (
	maxLine     = 120 // runes
	maxFunction = 70  // lines
	maxFiles    = 25  // of a package, tests apart
	maxOwnNames = 120 // of a package: types, functions, variables and constants that only it can use
)

// Long lines, long functions and crowded packages are found here, so that nobody has to argue about them.
func TestStyle(t *testing.T) {
	files, names := map[string]int{}, map[string]int{}
	eachGoFile(t, func(path string, _ *ast.File) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		number := 0
		for line := range strings.Lines(string(source)) {
			number++
			length := utf8.RuneCountInString(strings.TrimRight(line, "\n"))
			assert.LessOrEqual(t, length, maxLine, "%s:%d is too long", path, number)
		}
		set := token.NewFileSet()
		file, err := goparser.ParseFile(set, path, source, goparser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok {
				lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
				assert.LessOrEqual(t, lines, maxFunction, "%s: %s is too long", path, f.Name.Name)
			}
		}
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		files[filepath.Dir(path)]++
		names[filepath.Dir(path)] += ownNames(file)
	})
	for dir, n := range files {
		assert.LessOrEqual(t, n, maxFiles, "files of %s", dir)
		assert.LessOrEqual(t, names[dir], maxOwnNames, "lower-case names of %s", dir)
	}
}

// ownNames counts what a file declares for its package alone.
func ownNames(file *ast.File) (n int) {
	count := func(name *ast.Ident) {
		if !name.IsExported() && name.Name != "_" {
			n++
		}
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				count(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					count(s.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						count(name)
					}
				}
			}
		}
	}
	return n
}
