package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra/doc"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

//go:generate go test -run=^TestManPages$ -update .

const manDir = "../../deploy/man"

// The pages of the commands are those that the program makes. etcd's tools have
// their own help, and the main page is written by hand.
func TestManPages(t *testing.T) {
	n, err := thisnode.Of(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rootCommand(n).Commands() {
		if slices.Contains([]string{"ctl", "utl", "version"}, c.Name()) {
			continue
		}
		c.DisableAutoGenTag = true
		c.DisableFlagsInUseLine = c.DisableFlagParsing                            // it says itself which there are
		c.Long = regexp.MustCompile(`(?m)^  `).ReplaceAllString(c.Long, "      ") // what is set in columns stays so
		var made bytes.Buffer
		header := doc.GenManHeader{Title: "ETCD-NODE-" + strings.ToUpper(c.Name()), Section: "8", Source: "etcd-node", Manual: "System administration"}
		if err := doc.GenMan(c, &header, &made); err != nil {
			t.Fatal(err)
		}
		page := regexp.MustCompile(`(?m)^\.TH .*$`).ReplaceAll(made.Bytes(), []byte(`.TH "`+header.Title+`" "8" "" "etcd-node" "System administration"`)) // without a date
		path := filepath.Join(manDir, "etcd-node-"+c.Name()+".8")
		if *update {
			if err := os.WriteFile(path, page, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, page) {
			t.Errorf("%s is not what the program makes: go generate ./cmd/etcd-node (%v)", path, err)
		}
	}
}

// The page that is written by hand knows every command and every exit code.
func TestMainManPage(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(manDir, "etcd-node.8"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, c := range append(slices.Clone(commands), "ctl", "utl", "gateway", "grpc-proxy") {
		if c == "help" || strings.HasPrefix(c, "__") {
			continue
		}
		if !regexp.MustCompile(`(?m)^\.BR? .*\b` + c + `\b`).MatchString(page) {
			t.Errorf("the command %s is not there", c)
		}
	}
	codes := regexp.MustCompile(`(?m)^\| (\d+) \| `).FindAllStringSubmatch(failure.Page(), -1)
	if len(codes) < 10 {
		t.Errorf("exit codes: %q", codes)
	}
	for _, code := range codes {
		if !strings.Contains(page, "\n.B "+code[1]+"\n") {
			t.Errorf("exit code %s is not there", code[1])
		}
	}
}

// man can show the pages, and has nothing to complain of.
func TestManShows(t *testing.T) {
	if _, err := exec.LookPath("groff"); err != nil {
		if os.Getenv("CI") != "" { // which installs it
			t.Fatal(err)
		}
		t.Skip("groff is not here")
	}
	pages, err := filepath.Glob(filepath.Join(manDir, "*.8"))
	if err != nil || len(pages) < 6 {
		t.Fatalf("%q, %v", pages, err)
	}
	for _, page := range pages {
		cmd := exec.Command("groff", "-man", "-Tutf8", "-ww", page)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		if out, err := cmd.Output(); err != nil || len(out) < 500 || complaints.Len() > 0 {
			t.Errorf("%s: %v, %d bytes, %s", page, err, len(out), complaints.String())
		}
	}
}
