package exporter

import (
	"go/ast"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
