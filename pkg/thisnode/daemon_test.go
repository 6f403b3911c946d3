package thisnode

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// TestAsk: a data dir that was named is not the one of the unit's daemon, which
// answers first where none was; beside it somebody else may be.
func TestAsk(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	data, other := filepath.Join(dir, "data"), filepath.Join(dir, "other")
	run := filepath.Join(dir, "run")
	for at, dataDir := range map[string]string{run: data, control.Beside(other): other} {
		if err := errors.Join(os.Mkdir(at, 0o700), os.Mkdir(dataDir, 0o700)); err != nil {
			t.Fatal(err)
		}
		l, err := control.Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:errcheck // until it is closed
			_ = status.Status{Format: status.Format, Values: map[string]string{"data-dir": dataDir}}.Encode(w)
		}))
	}
	n, err := Of(unit.Environ{"RUNTIME_DIRECTORY=" + run})
	if err != nil {
		t.Fatal(err)
	}
	for named, want := range map[string]string{"": data, data: data, other: other, filepath.Join(dir, "none"): ""} {
		st, _, err := n.Daemon(t.Context(), named).Ask(t.Context())
		var no *NoAnswer
		if st.Values["data-dir"] != want || (want == "") != (errors.As(err, &no) && no.Stopped && no.Exit() == ExitNoDaemon) {
			t.Errorf("%q: of %q, %v", named, st.Values["data-dir"], err)
		}
	}
}

// TestAskOther: a unit that was copied has the first one's socket.
func TestAskOther(t *testing.T) {
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:errcheck // until it is closed
		_ = status.Status{Format: status.Format, PID: 7}.Encode(w)
	}))
	for theirs, want := range map[string]string{
		"": "", "etcdb.service": "",
		"etcd.service": "the daemon at " + filepath.Join(dir, control.Socket) + " is etcd.service's: give etcdb its own RuntimeDirectory= (and StateDirectory=, LogsDirectory=), or use etcd@NAME",
	} {
		n := &Node{Unit: "etcdb.service", installed: true, home: unit.Home{Run: dir}, environ: unit.Environ{unit.Variable + "=etcdb"}, unitOf: func(int) string { return theirs }}
		_, _, err := n.Daemon(t.Context(), "").Ask(t.Context())
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", theirs, got, want)
		}
		if err := n.Daemon(t.Context(), "").Explain(t.Context(), io.Discard); (err != nil) != (want != "") {
			t.Errorf("%q: explain: %v", theirs, err)
		}
	}
}
