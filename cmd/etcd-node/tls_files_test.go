package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/pki"
	"github.com/etcd-node/etcd-node/test/poll"
)

// secured makes nodes one cluster that speaks TLS between its members, each with
// files of its own: tls/ca.crt, tls/node.crt and tls/node.key. None is there yet.
func secured(t *testing.T, names ...string) (nodes []*node) {
	t.Helper()
	for _, name := range names {
		n := newNode(t, name)
		n.Peer = strings.Replace(n.Peer, "http:", "https:", 1)
		nodes = append(nodes, n)
	}
	cluster(nodes...)
	for _, n := range nodes {
		n.flags = append(n.flags, "--peer-trusted-ca-file=tls/ca.crt", "--peer-cert-file=tls/node.crt", "--peer-key-file=tls/node.key")
	}
	return nodes
}

// has puts a file in place as careful programs do: by renaming it.
func (n *node) has(name string, data []byte) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(n.Dir, name)), 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.write(name+".new", data)
	if err := os.Rename(filepath.Join(n.Dir, name+".new"), filepath.Join(n.Dir, name)); err != nil {
		n.t.Fatal(err)
	}
}

// shows puts a certificate and its key in place.
func (n *node) shows(c *pki.Certificate) {
	n.t.Helper()
	n.has("tls/node.key", c.Key)
	n.has("tls/node.crt", c.Cert)
}

// nothingBegun checks that no member has touched the data dir.
func (n *node) nothingBegun() {
	n.t.Helper()
	if found, err := os.ReadDir(n.Data()); err == nil && len(found) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.t.Errorf("in the data dir: %v, %v", found, err)
	}
	if n.Readies() > 0 {
		n.t.Error("READY=1 was said")
	}
}

// condition waits for one whose text holds the text, and for nothing else that
// is of this entry.
func (n *node) condition(id, text string) status.Status {
	n.t.Helper()
	return n.until(id+": "+text, func(st status.Status) bool {
		return slices.ContainsFunc(st.AllConditions(), func(c status.Condition) bool { return c.ID == id && strings.Contains(c.Text, text) })
	})
}

// without waits until no condition is of this entry.
func (n *node) without(id string) {
	n.t.Helper()
	n.until("without "+id, func(st status.Status) bool {
		return !slices.ContainsFunc(st.AllConditions(), func(c status.Condition) bool { return c.ID == id })
	})
}

// A certificate, a key or a CA that is not there, or not yet as it must be, is
// waited for. The node serves as soon as it is, without a hand.
func TestTLSFilesThatComeLate(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	good, other := pki.Issue(ca, nil), pki.Issue(ca, nil)
	all := func(n *node) { n.has("tls/ca.crt", ca.Cert); n.shows(good) }
	for name, tc := range map[string]struct {
		begin func(n *node) // what is there at the start
		says  []string
		mend  func(n *node)
	}{
		"nothing there, not even the directory": {func(*node) {}, []string{
			"tls/ca.crt does not exist (put the file there, or correct --peer-trusted-ca-file)",
			"tls/node.crt does not exist (put the file there, or correct --peer-cert-file)",
			"tls/node.key does not exist (put the file there, or correct --peer-key-file)"}, all},
		"a certificate of 0 bytes": {func(n *node) { all(n); n.has("tls/node.crt", nil) },
			[]string{"tls/node.crt is empty ("}, func(n *node) { n.write("tls/node.crt", good.Cert) }},
		"half a certificate": {func(n *node) { all(n); n.has("tls/node.crt", good.Cert[:len(good.Cert)/2]) },
			[]string{"tls/node.crt holds no certificate: it ends within the first"}, func(n *node) { n.write("tls/node.crt", good.Cert) }},
		"the key of another certificate": {func(n *node) { all(n); n.has("tls/node.key", other.Key) },
			[]string{"tls/node.key does not fit tls/node.crt: tls: private key does not match public key"}, all},
		"an empty CA": {func(n *node) { all(n); n.has("tls/ca.crt", nil) },
			[]string{"tls/ca.crt is empty ("}, all},
		"behind symlinks, as Kubernetes has them": {func(n *node) {
			all(n)
			for _, file := range []string{"ca.crt", "node.crt", "node.key"} {
				if err := errors.Join(os.Remove(filepath.Join(n.Dir, "tls", file)), os.Symlink("..data/"+file, filepath.Join(n.Dir, "tls", file))); err != nil {
					n.t.Fatal(err)
				}
			}
		}, []string{"tls/node.crt does not exist"}, func(n *node) {
			n.has("tls/..1/ca.crt", ca.Cert)
			n.has("tls/..1/node.crt", good.Cert)
			n.has("tls/..1/node.key", good.Key)
			if err := os.Symlink("..1", filepath.Join(n.Dir, "tls/..data")); err != nil {
				n.t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := secured(t, "a")[0]
			tc.begin(n)
			n.start(true)
			said := n.await("STATUS=starting: waiting for TLS files: ")
			for _, want := range tc.says {
				if !strings.Contains(said, want) {
					t.Errorf("%q lacks %q", said, want)
				}
			}
			n.nothingBegun()
			st := n.until("waiting, with its entry", func(st status.Status) bool {
				return st.State == status.Starting && slices.Contains(st.Conditions, status.Condition{ID: failure.IDTLSFile})
			})
			if text := st.Text(time.Now()); !strings.Contains(text, "etcd-node explain tls-file") {
				t.Error(text)
			}
			tc.mend(n)
			n.await("READY=1")
			n.without(failure.IDTLSFile)
			n.put("k", "v")
			n.stop()
		})
	}
}

// TestStatusWhileItWaits: a daemon whose unit has no RuntimeDirectory= answers
// beside its data while it waits for its files, or says that it does not.
func TestStatusWhileItWaits(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{true, false} {
		n := secured(t, "a")[0]
		n.env = []string{"RUNTIME_DIRECTORY="}
		if there {
			if err := os.Mkdir(n.Data(), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		n.start(true)
		n.await("STATUS=starting: waiting for TLS files: ")
		for _, command := range []string{"status", "explain"} {
			if out, _ := n.asks(nil, command, "--data-dir="+n.Data()); !strings.Contains(out, "waiting for TLS files: ") {
				t.Errorf("%s: %s", command, out)
			}
		}
		n.nothingBegun()
		n.stop()
	}
}

// Three new members of which one has no files yet: the two others serve, and it
// joins.
func TestTLSFilesOfOneOfThree(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	nodes := secured(t, "a", "b", "c")
	for _, n := range nodes[:2] {
		n.has("tls/ca.crt", ca.Cert)
		n.shows(pki.Issue(ca, nil))
	}
	for _, n := range nodes {
		n.start(true)
	}
	c := nodes[2]
	c.await("STATUS=starting: waiting for TLS files: ")
	nodes[0].await("READY=1")
	c.nothingBegun()
	// A CA that is not the one of the certificate: the files come one by one.
	c.has("tls/ca.crt", pki.Issue(nil, pki.Authority).Cert)
	c.shows(pki.Issue(ca, nil))
	if said := c.await("STATUS=starting: waiting for TLS files: --peer-cert-file: "); !strings.Contains(said, "does not verify against tls/ca.crt") {
		t.Error(said)
	}
	c.has("tls/ca.crt", ca.Cert)
	c.await("READY=1")
	nodes[0].until("connected", func(st status.Status) bool { return st.View.AllConnected() })
}

// The rows of TestBadConfigurations that may be mended without an edit: under
// systemd it waits and names what is at fault, and it can be stopped.
func TestTLSFilesAwaited(t *testing.T) {
	t.Parallel()
	files := makePKI()
	for _, b := range badConfigurations {
		if !b.waits {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, "a")
			for name, data := range files {
				n.has("pki/"+name, data)
			}
			n.write("etcd.env", []byte(b.file))
			n.env = []string{"ETCD_NODE_ENV_FILE=etcd.env"}
			n.start(true)
			said := n.await("STATUS=starting: waiting for TLS files: ")
			want := strings.Replace(b.want[1], "correct the path", "put the file there, or correct", 1)
			if !strings.Contains(said, b.want[0]) || !strings.Contains(said, want) || keyLine.MatchString(said) {
				t.Errorf("%q, want %q and %q", said, b.want[0], want)
			}
			n.nothingBegun()
			n.stop()
		})
	}
}

// The other problems of the configuration end it at once, and the files are told
// with them.
func TestTLSFilesAndAnotherProblem(t *testing.T) {
	t.Parallel()
	n := secured(t, "a")[0]
	n.start(true, "--auto-compaction-retention=often")
	said := n.await("STATUS=failed: ")
	if !strings.Contains(said, "--auto-compaction-retention") || !strings.Contains(said, "tls/node.crt does not exist") {
		t.Error(said)
	}
	n.exits(78)
}

// A certificate for clients that has expired keeps nobody from its peers.
func TestExpiredTowardsClients(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	n := secured(t, "a")[0]
	n.has("tls/ca.crt", ca.Cert)
	n.shows(pki.Issue(ca, nil))
	client := func(c *pki.Certificate) { n.has("tls/client.key", c.Key); n.has("tls/client.crt", c.Cert) }
	client(pki.Issue(ca, nil))
	n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.Contains(f, "client-urls") })
	url := strings.Replace(n.Client, "http:", "https:", 1)
	n.flags = append(n.flags, "--listen-client-urls="+url, "--advertise-client-urls="+url, "--cert-file=tls/client.crt", "--key-file=tls/client.key")
	n.up()
	n.stop()
	expired := time.Now().AddDate(0, 0, -1)
	client(pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = expired }))
	n.up()
	want := "tls/client.crt expired on " + expired.UTC().Format(time.DateOnly) + " (ETCD_CERT_FILE)"
	if st := n.condition(failure.IDTLSExpired, want); !serving(st) || !strings.Contains(st.Line(), want) || !strings.Contains(st.Text(time.Now()), "explain tls-expired") {
		t.Error(st.Text(time.Now()))
	}
	n.says(want)
	// etcd has read the pair of before: it reads the files once more when its client
	// port opens, which may be after READY, and would end with a half of each.
	poll.Eventually(t, func() error {
		c, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			c.Close()
		}
		return err
	})
	client(pki.Issue(ca, nil))
	n.without(failure.IDTLSExpired)
	// Broken while it runs: shown as well, and it lives on.
	n.has("tls/client.key", nil)
	n.condition(failure.IDTLSFile, "tls/client.key is empty")
	n.stop()
}

// With an expired certificate towards the peers the member starts and says so;
// it joins when a good one has come under the same name: etcd reads it at each
// handshake.
func TestExpiredTowardsPeers(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	nodes := secured(t, "a", "b", "c")
	for _, n := range nodes {
		n.has("tls/ca.crt", ca.Cert)
		n.shows(pki.Issue(ca, nil))
		n.start(true)
	}
	for _, n := range nodes {
		n.await("READY=1")
	}
	a := nodes[0]
	a.stop()
	expired := time.Now().AddDate(0, 0, -1)
	a.shows(pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = expired }))
	a.start(true)
	st := a.condition(failure.IDTLSExpired, "tls/node.crt expired on "+expired.UTC().Format(time.DateOnly))
	if st.State == status.Serving || !strings.Contains(st.Line(), "tls/node.crt expired on ") {
		t.Error(st.Line())
	}
	// What it waits for, in the words of its peers.
	a.until("refused", func(st status.Status) bool { return strings.Contains(st.Line(), "TLS: it refuses our certificate") })
	a.shows(pki.Issue(ca, nil))
	a.await("READY=1")
	a.without(failure.IDTLSExpired)
	// One that the others would refuse at the next handshake is told at once.
	a.shows(pki.Issue(ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 9)} }))
	a.condition(failure.IDTLSUnfit, "tls/node.crt is not for 127.0.0.1, under which others connect to this member; it is for 10.0.0.9 (ETCD_PEER_CERT_FILE)")
	a.shows(pki.Issue(ca, nil))
	a.without(failure.IDTLSUnfit)
}

// A certificate that ends while the member runs: said before and after, and the
// member lives on.
func TestExpiresWhileRunning(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	n := secured(t, "a")[0]
	n.has("tls/ca.crt", ca.Cert)
	n.shows(pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(8 * time.Second) }))
	n.up()
	n.condition(failure.IDTLSExpires, "tls/node.crt expires at ")
	if st := n.condition(failure.IDTLSExpired, "tls/node.crt expired on "); !serving(st) {
		t.Error(st.Line())
	}
	n.without(failure.IDTLSExpires)
	n.shows(pki.Issue(ca, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().Add(36*time.Hour)
	}))
	n.condition(failure.IDTLSExpires, "tls/node.crt expires in 1 day, on ")
	n.shows(pki.Issue(ca, nil))
	n.without(failure.IDTLSExpires)
	n.put("k", "v")
	n.stop()
}

// etcd reads a CA once. That it has changed is said, also of a peer that is
// refused because of it, until the member has been restarted.
func TestCAThatChanges(t *testing.T) {
	t.Parallel()
	first, second := pki.Issue(nil, pki.Authority), pki.Issue(nil, pki.Authority)
	both := slices.Concat(first.Cert, second.Cert)
	nodes := secured(t, "a", "b", "c")
	for _, n := range nodes {
		n.has("tls/ca.crt", first.Cert)
		n.shows(pki.Issue(first, nil))
		n.start(true)
	}
	for _, n := range nodes {
		n.until("connected", func(st status.Status) bool { return serving(st) && st.View.AllConnected() })
	}
	a, c := nodes[0], nodes[2]
	const changed = "tls/ca.crt has changed since it was read; it counts from the next restart"
	a.has("tls/ca.crt", both)
	a.condition(failure.IDTLSCAChanged, changed)
	a.has("tls/ca.crt", first.Cert)
	a.without(failure.IDTLSCAChanged)
	for _, n := range nodes {
		n.has("tls/ca.crt", both)
	}
	c.stop()
	c.shows(pki.Issue(second, nil))
	c.start(true)
	a.until("refusing c, and saying why", func(st status.Status) bool {
		line := st.Line()
		return strings.Contains(line, "missing c (127.0.0.1: TLS: its certificate is signed by an unknown authority") && strings.Contains(line, ": "+changed+")")
	})
	// What the entry promises: one after the other is restarted.
	for _, n := range nodes[:2] {
		n.stop()
		n.start(true)
		n.await("READY=1")
		n.without(failure.IDTLSCAChanged)
	}
	for _, n := range nodes {
		n.until("connected", func(st status.Status) bool { return serving(st) && st.View.AllConnected() })
	}
}

// A revocation list that etcd cannot read keeps no member from starting: etcd reads
// it when somebody shows a certificate. It is shown, and counts when it comes.
func TestRevocationListThatComesLate(t *testing.T) {
	t.Parallel()
	ca := pki.Issue(nil, pki.Authority)
	clientSide := func(t *testing.T) *node {
		n := secured(t, "a")[0]
		n.has("tls/ca.crt", ca.Cert)
		n.shows(pki.Issue(ca, nil))
		n.flags = slices.DeleteFunc(n.flags, func(f string) bool { return strings.Contains(f, "client-urls") })
		url := strings.Replace(n.Client, "http:", "https:", 1)
		n.flags = append(n.flags, "--listen-client-urls="+url, "--advertise-client-urls="+url, "--cert-file=tls/node.crt", "--key-file=tls/node.key",
			"--trusted-ca-file=tls/ca.crt", "--client-crl-file=tls/crl.der")
		return n
	}
	t.Run("towards clients", func(t *testing.T) {
		t.Parallel()
		n := clientSide(t)
		n.up()
		n.condition(failure.IDTLSCRL, "tls/crl.der does not exist, so etcd refuses whoever shows a certificate (ETCD_CLIENT_CRL_FILE)")
		n.has("tls/crl.der", []byte("-"))
		n.condition(failure.IDTLSCRL, "tls/crl.der is not a revocation list")
		n.has("tls/crl.der", ca.CRL())
		n.without(failure.IDTLSCRL)
		n.stop()
	})
	for _, called := range []string{"etcd", "etcd-node", "stock-etcd"} {
		t.Run("by hand, "+called, func(t *testing.T) {
			t.Parallel()
			n := clientSide(t)
			n.called = called
			n.start(false)
			n.says("ready to serve client requests")
			n.signal(syscall.SIGTERM)
			n.exit()
		})
	}
	t.Run("towards peers", func(t *testing.T) {
		t.Parallel()
		nodes := secured(t, "a", "b", "c")
		for _, n := range nodes {
			n.has("tls/ca.crt", ca.Cert)
			n.shows(pki.Issue(ca, nil))
			n.env = append(n.env, "ETCD_NODE_BOOTSTRAP_WAIT=0") // c answers nobody
		}
		c := nodes[2]
		c.flags = append(c.flags, "--peer-crl-file=tls/crl.der")
		for _, n := range nodes {
			n.start(true)
		}
		c.condition(failure.IDTLSCRL, "tls/crl.der does not exist, so etcd refuses whoever shows a certificate (ETCD_PEER_CRL_FILE)")
		nodes[0].await("READY=1")
		c.has("tls/crl.der", ca.CRL())
		for _, n := range nodes {
			n.until("connected", func(st status.Status) bool { return serving(st) && st.View.AllConnected() })
		}
		c.without(failure.IDTLSCRL)
	})
}

// Without systemd it ends as before.
func TestTLSFilesWithoutSystemd(t *testing.T) {
	t.Parallel()
	n := secured(t, "a")[0]
	n.start(false)
	n.exits(78)
	if log := strings.Join(n.Lines(), "\n"); !strings.Contains(log, "tls/node.crt does not exist (put the file there, or correct the path)") {
		t.Error(log)
	}
	// As stock etcd, it starts with a certificate that has expired.
	ca := pki.Issue(nil, pki.Authority)
	n.has("tls/ca.crt", bytes.Clone(ca.Cert))
	n.shows(pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }))
	n.start(false)
	n.until("serving", serving)
	n.stop()
}
