package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
		ok             bool
	}{{
		name: "all well",
		in: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Test":"TestB","Elapsed":3.25}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"pass","Package":"p","Elapsed":3.5}
`,
		want: "     TestB 3.2s\nok   p 3.5s\n",
		ok:   true,
	}, {
		name: "a failure comes with its output, a package without repetition",
		in: `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: broken\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"exit status 1\n"}
{"Action":"fail","Package":"p","Elapsed":0.2}
`,
		want: "    a_test.go:7: broken\nFAIL p 0.2s\n",
	}, {
		name: "skips are grouped by reason",
		in: `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: the lab needs root\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    a_test.go:9: the lab needs root\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p"}
`,
		want: "ok   p 0.0s\nSKIPPED in p: the lab needs root\n     TestA TestB\n",
		ok:   true,
	}, {
		name: "a skip inside of another process",
		in: `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: === RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"            a_test.go:9: no such device\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`,
		want: "ok   p 0.0s\nSKIPPED in p: no such device\n     TestA\n",
		ok:   true,
	}, {
		name: "does not compile",
		in: `{"ImportPath":"p","Action":"build-output","Output":"a.go:1: syntax error\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","Elapsed":0}
`,
		want: "a.go:1: syntax error\nFAIL p 0.0s\n",
	}, {
		name: "a crash shows the test that was running",
		in: `{"Action":"output","Package":"p","Test":"TestA","Output":"panic: oh\n"}
{"Action":"fail","Package":"p","Elapsed":0.2}
`,
		want: "FAIL p 0.2s\np TestA did not end:\npanic: oh\n",
	}, {
		name: "the go command fails before any test",
		in:   "go: cannot find main module\n",
		want: "go: cannot find main module\n",
	}, {
		name: "nothing tested is not success",
	}} {
		t.Run(tc.name, func(t *testing.T) {
			var out, failures strings.Builder
			ok, err := report(strings.NewReader(tc.in), &out, &failures)
			if err != nil || ok != tc.ok || out.String() != tc.want {
				t.Errorf("ok %v, err %v, printed:\n%s\nwant ok %v:\n%s", ok, err, out.String(), tc.ok, tc.want)
			}
		})
	}
}

// TestFailures: what failed, and nothing else, is for the end of the run; of a
// crash its beginning.
func TestFailures(t *testing.T) {
	in := `{"Action":"output","Package":"p","Test":"TestA","Output":"fine\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":9}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: broken\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0.1}
{"Action":"output","Package":"p","Test":"TestC","Output":"fatal error: oh\n"}
{"Action":"output","Package":"p","Test":"TestC","Output":"` + strings.Repeat("goroutine ", longest) + `"}
{"Action":"fail","Package":"p","Elapsed":0.2}
`
	var out, failures strings.Builder
	if ok, err := report(strings.NewReader(in), &out, &failures); ok || err != nil {
		t.Fatal(ok, err)
	}
	got := failures.String()
	if want := "    b_test.go:7: broken\nFAIL p 0.2s\np TestC did not end:\nfatal error: oh\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got %.300s\nwant %s", got, want)
	}
	if len(got) > longest+200 || strings.Contains(got, "fine") {
		t.Errorf("%d bytes: %.300s", len(got), got)
	}
}
