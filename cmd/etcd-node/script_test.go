package main

import (
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command line as an operator would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// exits CODE PROGRAM ARG…
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				code := 0
				if e, ok := err.(interface{ ExitCode() int }); ok {
					code = e.ExitCode()
				}
				if strconv.Itoa(code) != args[0] {
					ts.Fatalf("%q: %v, want exit code %s", args[1:], err, args[0])
				}
			},
		},
	})
}
