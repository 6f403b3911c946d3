package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

//go:generate go test -run=^TestCompletionFiles$ -update .

var update = flag.Bool("update", false, "write the files that are made of this program")

// The files that `make install` installs are those that the program makes.
func TestCompletionFiles(t *testing.T) {
	for shell, file := range map[string]string{"bash": "etcd-node.bash", "zsh": "_etcd-node", "fish": "etcd-node.fish"} {
		made, err := program(t, "etcd-node", "completion", shell).Output()
		path := filepath.Join("../../deploy/completions", file)
		if err == nil && *update {
			err = os.WriteFile(path, made, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, made) {
			t.Errorf("%s is not what the program makes: go generate ./cmd/etcd-node (%v)", path, err)
		}
	}
}

// The shells complete our commands and etcd's, with their flags.
func TestComplete(t *testing.T) {
	for line, want := range map[string]string{
		"":                     "status\tprint what the daemon on this node is doing",
		"st":                   "status\tprint what the daemon on this node is doing",
		"status --wa":          "--watch\tgo on, and show each change",
		"ct":                   "ctl\tetcdctl, told of this node: its endpoint and certificates",
		"ctl endp":             "endpoint\tEndpoint related commands. Use `etcdctl endpoint --help` to see subcommands",
		"ctl endpoint sta":     "status\tPrints out the status of endpoints specified in `--endpoints` flag",
		"ctl get --prefi":      "--prefix\tGet keys with matching prefix",
		"utl snapshot restore": "restore\tRestores an etcd member snapshot to an etcd directory",
	} {
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		said, err := program(t, "etcd-node", args...).Output()
		if err != nil {
			t.Errorf("%q: %v: %s", line, err, err.(*exec.ExitError).Stderr)
		}
		if !slices.Contains(strings.Split(string(said), "\n"), want) {
			t.Errorf("%q:\n%swant %q", line, said, want)
		}
	}
	if said, err := program(t, "etcd-node", "__completeNoDesc", "st").Output(); err != nil || !strings.HasPrefix(string(said), "status\n:") {
		t.Errorf("without descriptions: %q, %v", said, err)
	}
}

// bash itself loads the file, and completes with it.
func TestBashCompletes(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etcd-node"), []byte("#!/bin/bash\nexec -a etcd-node "+exe+` "$@"`+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := `source ../../deploy/completions/etcd-node.bash
_init_completion() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
COMP_WORDS=(etcd-node hist) COMP_CWORD=1 COMP_LINE='etcd-node hist' COMP_POINT=14 COMP_TYPE=9
__start_etcd-node; echo "${COMPREPLY[0]}"`
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	// It also says that no shell completes at this moment, on stderr.
	if said, err := cmd.Output(); err != nil || !strings.HasPrefix(string(said), "history") {
		t.Errorf("%q, %v", said, err)
	}
}

func TestCompletions(t *testing.T) {
	for said, want := range map[string]cobra.ShellCompDirective{"a\tb\nc\n:4\n": 4, ":0\n": 0, "": cobra.ShellCompDirectiveError, "4\n": cobra.ShellCompDirectiveError, "a\n:x\n": cobra.ShellCompDirectiveError} {
		if words, got := completions(said); got != want || got == 4 && !slices.Equal(words, []string{"a\tb", "c"}) {
			t.Errorf("%q: %q, %d", said, words, got)
		}
	}
}
