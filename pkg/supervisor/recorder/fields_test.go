package recorder

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// loud are the methods that log what is sent.
var loud = []string{"Warn", "Error", "DPanic", "Panic", "Fatal"}

// variable are the files whose messages are not constants, and why that does no harm.
var variable = map[string]bool{
	"server/v3/embed/serve.go":                          true, // wsProxyZapLogger: dataFree leaves them out
	"server/v3/etcdserver/api/v3discovery/discovery.go": true, // the same
	"server/v3/storage/backend/backend.go":              true, // bbolt's: the same
	"server/v3/etcdserver/zap_raft.go":                  true, // raft's: numbers and IDs
	"server/v3/storage/schema/confstate.go":             true, // two constants
	"pkg/v3/featuregate/feature_gate.go":                true, // names of features
}

// TestEtcdSource reads etcd's source for what fields.go believes of it.
func TestEtcdSource(t *testing.T) {
	seenPackages, seenFields := map[string]bool{}, map[string]bool{"failure": true}
	calls := 0
	for _, module := range []string{"server/v3", "client/pkg/v3", "client/v3", "pkg/v3", "api/v3"} {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", etcd+module).Output()
		if err != nil {
			t.Fatal(err)
		}
		root := strings.TrimSpace(string(out))
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			rel, _ := filepath.Rel(root, filepath.Dir(path))
			pkg := filepath.Join(module, rel)
			if pkg == "server/v3/etcdmain" || pkg == "pkg/v3/report" { // other programs
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !logs(call) {
					return true
				}
				calls++
				if where := filepath.Join(pkg, filepath.Base(path)); !constant(call.Args[0]) && !variable[where] {
					t.Errorf("%s logs a message that is not constant: add it to dataFree, or to variable if it holds no data", where)
				}
				if requestFreePackages[pkg] {
					seenPackages[pkg] = true
					for _, f := range stringFields(call) {
						seenFields[f] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if calls < 400 { // 3.7.3 has more than 500
		t.Errorf("found only %d calls of loggers: does etcd log in another way?", calls)
	}
	// A name that etcd no longer uses can come back with another meaning.
	for _, p := range missing(requestFreePackages, seenPackages) {
		t.Errorf("package %s logs no warning any more", p)
	}
	for _, f := range missing(plainFields, seenFields) {
		t.Errorf("field %s is used in no warning of a package that holds no request", f)
	}
}

func missing(want, have map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(k string) bool { return have[k] })
}

// logs reports whether a call is one of a zap logger's.
func logs(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(loud, sel.Sel.Name) || len(call.Args) == 0 {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return !ok || !slices.Contains([]string{"http", "status", "zap", "grpclog", "rpctypes", "v3rpc", "t", "tb"}, x.Name)
}

func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	}
	return false
}

// stringFields are the names of the fields of text in a call.
func stringFields(call *ast.CallExpr) []string {
	var names []string
	for _, arg := range call.Args[1:] {
		f, ok := arg.(*ast.CallExpr)
		if !ok || len(f.Args) < 2 {
			continue
		}
		sel, ok := f.Fun.(*ast.SelectorExpr)
		lit, ok2 := f.Args[0].(*ast.BasicLit)
		if ok && ok2 && strings.HasPrefix(sel.Sel.Name, "String") {
			name, _ := strconv.Unquote(lit.Value)
			names = append(names, name)
		}
	}
	return names
}
