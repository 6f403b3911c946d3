package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/check"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// checks runs the command beside the daemon, with what its env file says.
func (n *node) checks(env []string, flags ...string) (code int, out string) {
	n.t.Helper()
	cmd := program(n.t, "etcd-node", append([]string{"check"}, flags...)...)
	cmd.Env, cmd.Dir = slices.Concat(n.Environ(), n.env, env), n.Dir
	text, err := cmd.CombinedOutput()
	var x *exec.ExitError
	if errors.As(err, &x) {
		code = x.ExitCode()
	} else if err != nil {
		n.t.Fatal(err)
	}
	return code, string(text)
}

// Environments that are broken, and what is said of each: the fault and the remedy.
func TestCheckBroken(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	tlsLines := func(n *node, edit func(*x509.Certificate)) []string {
		leaf := pki.Issue(ca, func(c *x509.Certificate) {
			if edit != nil {
				edit(c)
			}
		})
		n.write("ca.crt", ca.Cert)
		n.write("a.crt", leaf.Cert)
		n.write("a.key", leaf.Key)
		file := func(name string) string { return filepath.Join(n.Dir, name) }
		n.Client = strings.Replace(n.Client, "http://", "https://", 1)
		return []string{"ETCD_CERT_FILE=" + file("a.crt"), "ETCD_KEY_FILE=" + file("a.key"), "ETCD_TRUSTED_CA_FILE=" + file("ca.crt")}
	}
	others := func(n *node, peers ...string) {
		list := n.Name + "=" + n.Peer
		for i, p := range peers {
			list += fmt.Sprintf(",x%d=%s", i, p)
		}
		n.Cluster = list
	}
	taken := func(t *testing.T, at string) {
		l, err := net.Listen("tcp", strings.TrimPrefix(at, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	served := func(n *node, do ...func()) { // has lived, and is stopped
		n.envFile()
		n.up()
		n.put("k", "v")
		n.stop()
		for _, f := range do {
			f()
		}
	}
	gone := loopback.Address()
	_, gonePort, _ := net.SplitHostPort(gone)
	small := func(t *testing.T, dir string, flags uintptr, options string) {
		if os.Geteuid() != 0 {
			t.Skip("mounts a file system: needs root")
		}
		if err := errors.Join(os.MkdirAll(dir, 0o700), unix.Mount("none", dir, "tmpfs", flags, options)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	}
	for name, tc := range map[string]struct {
		broken func(t *testing.T, n *node) (env []string)
		code   int
		want   []string
	}{
		"a number that is none": {func(_ *testing.T, n *node) []string { n.envFile("ETCD_SNAPSHOT_COUNT=many"); return nil }, 78, []string{"ETCD_SNAPSHOT_COUNT", "many"}},
		"a typo":                {func(_ *testing.T, n *node) []string { n.envFile("ETCD_SNAPSHOT_CONT=5"); return nil }, 0, []string{"warning", "ETCD_SNAPSHOT_CONT", "ETCD_SNAPSHOT_COUNT"}},
		"not in the list":       {func(_ *testing.T, n *node) []string { n.Cluster = "b=" + n.Peer; n.envFile(); return nil }, 78, []string{"is not in ETCD_INITIAL_CLUSTER", "set ETCD_NAME"}},
		"twice in the list":     {func(_ *testing.T, n *node) []string { others(n, n.Peer); n.envFile(); return nil }, 78, []string{"have the same address", "give each member its own"}},
		"impatient elections":   {func(_ *testing.T, n *node) []string { n.envFile("ETCD_ELECTION_TIMEOUT=100"); return nil }, 78, []string{"ETCD_ELECTION_TIMEOUT"}},
		"a file as data dir": {func(_ *testing.T, n *node) []string {
			n.write("data", []byte("x"))
			n.envFile()
			return nil
		}, 78, []string{"data", "is not a directory"}},
		"no certificate": {func(_ *testing.T, n *node) []string {
			lines := tlsLines(n, nil)
			n.envFile(lines...)
			os.Remove(filepath.Join(n.Dir, "a.crt"))
			return nil
		}, 78, []string{"a.crt does not exist"}},
		"a key of another certificate": {func(_ *testing.T, n *node) []string {
			lines := tlsLines(n, nil)
			n.write("a.key", pki.Issue(ca, nil).Key)
			n.envFile(lines...)
			return nil
		}, 78, []string{"a.key"}},
		"a certificate for another host": {func(_ *testing.T, n *node) []string {
			n.envFile(tlsLines(n, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"else.example"} })...)
			return nil
		}, 0, []string{"warning", "a.crt", "127.0.0.1"}},
		"an expired certificate": {func(_ *testing.T, n *node) []string {
			n.envFile(tlsLines(n, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })...)
			return nil
		}, 1, []string{"problem", "a.crt (cert-file) expired on", "renewed file"}},
		"a certificate that expires": {func(_ *testing.T, n *node) []string {
			n.envFile(tlsLines(n, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(10*24*time.Hour + time.Hour) })...)
			return nil
		}, 0, []string{"warning", "is valid for 10 days", "renewed file"}},
		"the client port is taken": {func(t *testing.T, n *node) []string { taken(t, n.Client); n.envFile(); return nil }, 1, []string{"problem", "is in use by process", "ss -ltnp"}},
		"the peer port is taken":   {func(t *testing.T, n *node) []string { taken(t, n.Peer); n.envFile(); return nil }, 1, []string{"problem", "is in use by process", "ss -ltnp"}},
		"a peer that is not there yet": {func(_ *testing.T, n *node) []string { others(n, "http://"+loopback.Address()); n.envFile(); return nil }, 0,
			[]string{"warning", "connection refused", "does not run yet", "systemctl start etcd there"}},
		"a peer that is gone": {func(_ *testing.T, n *node) []string {
			served(n)
			others(n, "http://"+gone)
			n.envFile()
			return nil
		}, 1, []string{"problem", "connection refused", "is TCP port " + gonePort + " open between the two"}},
		"a data dir that others may look into": {func(t *testing.T, n *node) []string {
			served(n)
			if err := os.Chmod(filepath.Join(n.Dir, "data"), 0o755); err != nil {
				t.Fatal(err)
			}
			return nil
		}, 0, []string{"warning", "has mode 0755: other users may look into the data", "next: chmod 0700 "}},
		"a full disk under the WAL": {func(t *testing.T, n *node) []string {
			wal := filepath.Join(n.Dir, "wal")
			small(t, wal, 0, "size=16m")
			n.envFile("ETCD_WAL_DIR=" + filepath.Join(wal, "wal")) // etcd puts the directory in place by itself
			return nil
		}, 1, []string{"ok space", "problem space", "16 MiB free of 16 MiB", "etcd ends when it is used up", "make room: du -x -d 2"}},
		"a peer of another cluster": {func(t *testing.T, n *node) []string {
			served(n)
			other := running(t)
			others(n, other.Peer)
			n.envFile()
			return nil
		}, 1, []string{"problem", "belongs to cluster", "etcd-node explain foreign-cluster"}},
		"a peer that is no etcd": {func(t *testing.T, n *node) []string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.NotFoundHandler()}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
			others(n, "http://"+l.Addr().String())
			n.envFile()
			return nil
		}, 1, []string{"problem", "is not an etcd peer port"}},
		"a peer that speaks TLS": {func(t *testing.T, n *node) []string {
			l, err := tls.Listen("tcp", "127.0.0.1:0", pki.Issue(ca, nil).TLS())
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0)}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
			others(n, "http://"+l.Addr().String())
			n.envFile()
			return nil
		}, 1, []string{"problem", "TLS"}},
		"a peer of another CA": {func(t *testing.T, n *node) []string {
			stranger := pki.Issue(nil, pki.Authority)
			l, err := tls.Listen("tcp", "127.0.0.1:0", pki.Issue(stranger, nil).TLS())
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0)}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
			lines := tlsLines(n, nil)
			n.Peer = strings.Replace(n.Peer, "http://", "https://", 1)
			others(n, "https://"+l.Addr().String())
			n.envFile(append(lines, "ETCD_PEER_CERT_FILE="+filepath.Join(n.Dir, "a.crt"), "ETCD_PEER_KEY_FILE="+filepath.Join(n.Dir, "a.key"),
				"ETCD_PEER_TRUSTED_CA_FILE="+filepath.Join(n.Dir, "ca.crt"))...)
			return nil
		}, 1, []string{"problem", "ETCD_PEER_TRUSTED_CA_FILE of both"}},
		"an empty data dir where a member was": {func(_ *testing.T, n *node) []string {
			served(n, func() { os.RemoveAll(n.Data()) })
			return nil
		}, 1, []string{"problem", "is empty, and member", "findmnt", "etcd-node explain wiped"}},
		"data of another member": {func(t *testing.T, n *node) []string {
			served(n, func() {
				other := single(t)
				served(other)
				if err := errors.Join(os.RemoveAll(n.Data()), os.CopyFS(n.Data(), os.DirFS(other.Data()))); err != nil {
					t.Fatal(err)
				}
			})
			return nil
		}, 1, []string{"problem", "has lived on this node", "etcd-node explain other-identity"}},
		"the log is gone": {func(_ *testing.T, n *node) []string {
			served(n, func() { os.RemoveAll(filepath.Join(n.Data(), "member/wal")) })
			return nil
		}, 1, []string{"problem", "there is no WAL", "etcd-node explain wal-lost"}},
		"data of another time": {func(t *testing.T, n *node) []string {
			served(n, func() {
				if err := errors.Join(os.RemoveAll(n.Data()), os.RemoveAll(n.Pins()), os.Mkdir(n.Data(), 0o700),
					exec.Command("tar", "-xzf", "../../pkg/member/datadir/testdata/etcd-3.5.tar.gz", "-C", n.Data()).Run()); err != nil {
					t.Fatal(err)
				}
			})
			return nil
		}, 1, []string{"problem", "upgrade one minor version at a time", "etcd-node explain data-too-old"}},
		"a small disk": {func(t *testing.T, n *node) []string {
			small(t, filepath.Join(n.Dir, "data"), 0, "size=64m,mode=0700")
			n.envFile()
			return nil
		}, 1, []string{"problem", "of 64 MiB", "make room"}},
		"a read-only disk": {func(t *testing.T, n *node) []string {
			small(t, filepath.Join(n.Dir, "data"), unix.MS_RDONLY, "size=8g,mode=0700")
			n.envFile()
			return nil
		}, 1, []string{"problem", "read-only", "mount it writable"}},
		"few files": {func(_ *testing.T, n *node) []string {
			n.envFile()
			n.up()
			limit := unix.Rlimit{Cur: 1024, Max: 1024}
			if err := unix.Prlimit(n.status().MemberPID, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
				n.t.Fatal(err)
			}
			return nil
		}, 0, []string{"warning", "may open 1024 files", "LimitNOFILE=65536"}},
		"a proxy": {func(_ *testing.T, n *node) []string { n.envFile(); return []string{"HTTPS_PROXY=http://proxy:3128"} }, 0, []string{"warning", "HTTPS_PROXY is set", "export no_proxy="}},
		"an env file that is YAML": {func(_ *testing.T, n *node) []string {
			n.envFile()
			n.write("env", []byte("name: a\ndata-dir: /var/lib/etcd\n"))
			return nil
		}, 78, []string{"env"}},
		"a frozen daemon": {func(_ *testing.T, n *node) []string {
			n.envFile()
			n.up()
			n.signal(syscall.SIGSTOP)
			n.t.Cleanup(func() { n.signal(syscall.SIGCONT) })
			return nil
		}, 1, []string{"is in use by process"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := single(t)
			n.t = t
			env := tc.broken(t, n)
			begun := time.Now()
			code, out := n.checks(env)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			flat := strings.Join(strings.Fields(out), " ")
			for _, want := range tc.want {
				if !strings.Contains(flat, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if tc.code == 78 { // programs read what is wrong with the configuration, too
				var said struct {
					Worst   check.Level
					Results []check.Result
				}
				code, out := n.checks(env, "-o", "json")
				if err := json.NewDecoder(strings.NewReader(out[max(0, strings.Index(out, "{")):])).Decode(&said); err != nil || code != 78 || said.Worst != check.Problem || len(said.Results) != 1 {
					t.Errorf("exit code %d, %v:\n%s", code, err, out)
				}
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Where authentication is on, who asks without a user learns how to ask with one.
func TestCheckAuthentication(t *testing.T) {
	t.Parallel()
	n := single(t)
	n.envFile()
	n.up()
	for _, args := range [][]string{{"user", "add", "root:pw"}, {"user", "grant-role", "root", "root"}, {"auth", "enable"}} {
		if out, err := program(t, "etcd-node", append([]string{"ctl", "--endpoints", n.Client}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	for env, want := range map[string]string{
		"":                     "without a user",
		"ETCDCTL_USER=root:no": "the user or the password is wrong",
		"ETCDCTL_USER=root:pw": "ok member " + n.Name,
	} {
		code, out := n.checks([]string{env}, "--all")
		flat := strings.Join(strings.Fields(out), " ")
		if code != 0 || !strings.Contains(flat, want) || !strings.HasPrefix(want, "ok") && !strings.Contains(flat, "next: ETCDCTL_USER=") {
			t.Errorf("%q: exit code %d\n%s", env, code, out)
		}
	}
}

// A cluster that is well, asked from each side: nothing is worse than what this
// machine's clock and disk may be, the members are left alone, and a member that is gone
// is named.
func TestCheckWell(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	for _, n := range []*node{a, b, c} {
		n.envFile()
		n.start(true)
	}
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
	}
	before := a.status()
	results := func(flags ...string) map[string][]check.Result {
		t.Helper()
		code, out := a.checks(nil, append(flags, "-o", "json")...)
		var said struct {
			Format  int
			Worst   check.Level
			Results []check.Result
		}
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&said); err != nil || said.Format != checkFormat || (said.Worst == check.Problem) != (code == 1) {
			t.Fatalf("exit code %d, %v:\n%s", code, err, out)
		}
		by := map[string][]check.Result{}
		for _, r := range said.Results {
			by[r.Check] = append(by[r.Check], r)
		}
		return by
	}
	by := results("--all")
	for _, name := range []string{"configuration", "ports", "data", "space", "peer b", "peer c", "limits", "member a", "member b", "member c"} {
		if len(by[name]) != 1 || by[name][0].Level != check.OK {
			t.Errorf("%s: %+v", name, by[name])
		}
	}
	if after := a.status(); after.MemberPID != before.MemberPID || after.View.Raft.Term != before.View.Raft.Term {
		t.Errorf("the member was touched: %+v, then %+v", before, after)
	}
	c.stop()
	by = results("--all")
	if r := by["peer c"]; len(r) != 1 || r[0].Level != check.Problem {
		t.Errorf("a peer that is gone: %+v", r)
	}
	if r := by["member c"]; len(r) != 1 || r[0].Level != check.Problem || r[0].Next == "" {
		t.Errorf("a member that is gone: %+v", r)
	}
}
