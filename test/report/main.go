// Report reads `go test -json` on stdin and prints what a person wants to
// know: one line per package, the whole output of what failed, how long the
// slow tests took, and at the end, in plain words, which tests were skipped
// and why. It exits 1 if anything failed or nothing was tested at all.
//
//	go test -json ./... | go run ./test/report
//	go test -json ./... | go run ./test/report -failures bin/failures
//
// The second also appends what failed to a file, for the end of a run of several:
// who reads a long log reads its end, and some keep nothing else of it.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// A test slower than this many seconds gets a line of its own, so that
// somebody who waits sees what for.
const slow = 2.0

func main() {
	path := flag.String("failures", "", "append what failed to this file")
	flag.Parse()
	var failures strings.Builder
	ok, err := report(os.Stdin, os.Stdout, &failures)
	if *path != "" && failures.Len() > 0 {
		err = errors.Join(err, appendTo(*path, failures.String()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// event is one line of `go test -json` (go doc test2json, and for builds
// go help buildjson).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build events
	Test       string
	Elapsed    float64
	Output     string
}

type skip struct{ pkg, reason string }

func appendTo(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(text)
	return err
}

// longest is how many bytes of one failure's output failures gets: the beginning
// of a crash says what it was, the other thousand goroutines do not.
const longest = 4000

// report copies what matters from in to out, what failed also to failures, and
// says whether all went well.
func report(in io.Reader, out, failures io.Writer) (ok bool, err error) {
	output := map[[2]string][]string{} // of each running test, and of each package under ""
	failed := map[string]bool{}
	skipped := map[skip][]string{}
	ok, packages := true, 0

	lines := bufio.NewReader(in)
	for {
		line, readErr := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(out, line) // not an event: the go command itself speaks
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "output":
			if !strings.HasPrefix(e.Output, "=== ") { // RUN, PAUSE, CONT
				output[key] = append(output[key], e.Output)
			}
		case "build-output":
			fmt.Fprint(out, e.Output)
			fmt.Fprint(failures, e.Output)
		case "build-fail":
			ok = false
		case "fail":
			ok = false
			failed[e.Package] = true
			text := strings.Join(output[key], "")
			if e.Test == "" {
				packages++
				text = fmt.Sprintf("FAIL %s %.1fs\n", e.Package, e.Elapsed) + withoutVerdicts(text)
			}
			fmt.Fprint(out, text)
			fmt.Fprint(failures, short(text))
			delete(output, key)
		case "skip", "pass":
			if e.Test == "" {
				packages++
				if e.Action == "pass" {
					fmt.Fprintf(out, "ok   %s %.1fs\n", e.Package, e.Elapsed)
				}
			} else {
				if e.Action == "skip" {
					s := skip{e.Package, reason(output[key])}
					skipped[s] = append(skipped[s], e.Test)
				}
				if e.Elapsed >= slow && !strings.Contains(e.Test, "/") {
					fmt.Fprintf(out, "     %s %.1fs\n", e.Test, e.Elapsed)
				}
			}
			delete(output, key)
		}
		if readErr == io.EOF {
			break
		} else if readErr != nil {
			return false, readErr
		}
	}

	// What never said how it ended: a crash of the test binary, or its timeout.
	for key, text := range output {
		if key[1] != "" && failed[key[0]] {
			all := fmt.Sprintf("%s %s did not end:\n%s", key[0], key[1], strings.Join(text, ""))
			fmt.Fprint(out, all)
			fmt.Fprint(failures, short(all))
		}
	}
	printSkipped(out, skipped)
	return ok && packages > 0, nil
}

func short(text string) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "\n[…]\n"
}

func printSkipped(out io.Writer, skipped map[skip][]string) {
	var all []skip
	for s := range skipped {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b skip) int {
		return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.reason, b.reason))
	})
	for _, s := range all {
		fmt.Fprintf(out, "SKIPPED in %s: %s\n     %s\n", s.pkg, s.reason, strings.Join(skipped[s], " "))
	}
}

var where = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// reason is the text a test gave to t.Skip; of a test that ran itself again in
// another process and gave that one's output, what the inner one said.
func reason(output []string) string {
	for _, line := range output {
		at := where.FindString(line)
		if at != "" && !strings.HasPrefix(line[len(at):], "=== ") {
			return strings.TrimSpace(line[len(at):])
		}
	}
	return "no reason given"
}

// withoutVerdicts drops the lines that only repeat that a package failed.
func withoutVerdicts(text string) string {
	var keep strings.Builder
	for line := range strings.Lines(text) {
		if line != "FAIL\n" && !strings.HasPrefix(line, "FAIL\t") && !strings.HasPrefix(line, "exit status ") {
			keep.WriteString(line)
		}
	}
	return keep.String()
}
