package exporter

import (
	"go/ast"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The committed state changes in saved.save alone, after the file did. In one package nothing else keeps
// others from it.
func TestOnlySaveChangesWhatIsSaved(t *testing.T) {
	allowed := 0
	eachGoFile(t, func(path string, file *ast.File) {
		if filepath.Base(filepath.Dir(path)) != "exporter" || strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				assignment, ok := n.(*ast.AssignStmt)
				if !ok {
					return true
				}
				for _, target := range assignment.Lhs {
					if !reachesState(target) {
						continue
					}
					allowed++
					assert.Equal(t, "saved.go:save", filepath.Base(path)+":"+f.Name.Name, "changes the committed state")
				}
				return true
			})
		}
	})
	assert.Equal(t, 1, allowed, "this test finds the one place that is allowed")
}

// reachesState reports whether an assignment to target changes a field named state, or something in it.
func reachesState(target ast.Expr) bool {
	for {
		switch at := target.(type) {
		case *ast.SelectorExpr:
			if at.Sel.Name == "state" {
				return true
			}
			target = at.X
		case *ast.IndexExpr:
			target = at.X
		case *ast.StarExpr:
			target = at.X
		default:
			return false
		}
	}
}

// A part of a window is saved as soon as that costs a thousandth of the time, at its present size and the disk's speed.
func TestAPartIsSavedWhenThatCostsLittle(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	p := parts{at: begin}
	require.False(t, p.due(begin.Add(24*time.Second), 1_000_000))
	require.True(t, p.due(begin.Add(25*time.Second), 1_000_000))
	require.True(t, p.due(begin.Add(time.Second), 40_000))
	p.took = 3 * time.Millisecond
	require.False(t, p.due(begin.Add(2*time.Second), 40_000))
	require.True(t, p.due(begin.Add(3*time.Second), 40_000))
	p.at = time.Time{}
	require.True(t, p.due(begin, 1_000_000), "the last save waits for nothing")
}
