package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// TestStatusSaysWhatItDoes: a state's name is no sentence.
func TestStatusSaysWhatItDoes(t *testing.T) {
	led := status.View{Leader: "a"}
	for _, tc := range []struct {
		st   status.Status
		want string
	}{
		{status.Status{State: status.Backoff}, "etcd-node: the member does not serve: it waits before the next try\n"},
		{status.Status{State: status.Failed}, "etcd-node: the member does not serve: it has failed for good (etcd-node explain)\n"},
		{status.Status{State: status.Joining}, "etcd-node: the member does not serve: it is joining\n"},
		{status.Status{State: status.Serving}, "etcd-node: the member serves no writes: it knows no leader (etcd-node explain)\n"},
		{status.Status{State: status.Serving, View: led}, ""},
	} {
		dir, err := os.MkdirTemp("", "n") // a socket's path is short
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := net.Listen("unix", filepath.Join(dir, control.Socket))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:errcheck // until it is closed
			st := tc.st
			st.Format = status.Format
			_ = st.Encode(w)
		}))
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
		code := runCommand(t.Context(), world{"etcd-node", []string{"status"}, []string{"RUNTIME_DIRECTORY=" + dir}, stdout, stderr})
		said, err := os.ReadFile(stderr.Name())
		if err != nil || string(said) != tc.want || (code == failure.ExitOK) != (tc.want == "") {
			t.Errorf("%s: exit %d, %q, %v, want %q", tc.st.State, code, said, err, tc.want)
		}
	}
}
