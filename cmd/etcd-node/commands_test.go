package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// TestStatusSaysWhatItDoes: a state's name is no sentence.
func TestStatusSaysWhatItDoes(t *testing.T) {
	for state, want := range map[status.State]string{
		status.Backoff: "etcd-node: the member does not serve: it waits before the next try\n",
		status.Failed:  "etcd-node: the member does not serve: it has failed for good (etcd-node explain)\n",
		status.Joining: "etcd-node: the member does not serve: it is joining\n",
		status.Serving: "",
	} {
		dir, err := os.MkdirTemp("", "n") // a socket's path is short
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := net.Listen("unix", filepath.Join(dir, socketName))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				_ = json.NewEncoder(c).Encode(status.Status{State: state})
				c.Close()
			}
		}()
		stderr, err := os.Create(filepath.Join(dir, "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		defer stderr.Close()
		stdout, err := os.Create(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer stdout.Close()
		code := runCommand(t.Context(), world{[]string{"status"}, []string{"RUNTIME_DIRECTORY=" + dir}, stdout, stderr})
		said, err := os.ReadFile(stderr.Name())
		if err != nil || string(said) != want || (code == failure.ExitOK) != (want == "") {
			t.Errorf("%s: exit %d, %q, %v, want %q", state, code, said, err, want)
		}
	}
}
