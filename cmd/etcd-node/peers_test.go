package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/pki"
)

// onNetwork says whether the test runs in a network namespace of its own, in
// which this machine has addresses that are not loopback's. Outside of one it runs
// the test again, in a process that is, and reports what came of it.
func onNetwork(t *testing.T, addresses ...string) bool {
	t.Helper()
	const mark = "ETCD_NODE_TEST_NETWORK"
	if os.Getenv(mark) == t.Name() {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addresses {
			address, err := netlink.ParseAddr(a + "/32")
			if err == nil {
				err = netlink.AddrAdd(lo, address)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot make a network namespace")
	}
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("root, but not allowed to make a network namespace")
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// on is a cluster of members on the addresses etcd-1 and so on, with this scheme
// between them.
func on(t *testing.T, scheme string, addresses ...string) (nodes []*node) {
	for i, a := range addresses {
		n := newNode(t, fmt.Sprint("etcd-", i+1))
		n.Peer = scheme + "://" + a + ":2380"
		nodes = append(nodes, n)
	}
	cluster(nodes...)
	return nodes
}

// A proxy for the machine's web traffic is nothing to members, whatever it answers.
func TestMembersGoPastProxies(t *testing.T) {
	const etcd1, etcd2, etcd3, proxy = "192.168.122.5", "192.168.122.6", "192.168.122.7", "192.168.122.1"
	if !onNetwork(t, etcd1, etcd2, etcd3, proxy) {
		return
	}
	l, err := net.Listen("tcp", proxy+":3128")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
		http.Error(w, "Forbidden", http.StatusForbidden)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	certificates := certificate(t, pki.Issue(nil, pki.Authority), nil)
	for name, tc := range map[string]struct {
		scheme string
		env    []string
	}{
		"403":          {"http", []string{"HTTP_PROXY=http://" + proxy + ":3128"}},
		"in small":     {"http", []string{"http_proxy=http://" + proxy + ":3128", "no_proxy=192.0.2.1"}},
		"refused port": {"http", []string{"HTTP_PROXY=http://" + proxy + ":1"}},
		"TLS":          {"https", append([]string{"HTTPS_PROXY=http://" + proxy + ":3128"}, certificates...)},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := on(t, tc.scheme, etcd1, etcd2, etcd3)
			for _, n := range nodes {
				n.env = tc.env
				n.start(true)
			}
			for _, n := range nodes {
				n.await("READY=1")
				n.with(3)
				if st := n.status(); st.Restarts != 0 {
					t.Errorf("%s", st.Line())
				}
			}
			nodes[0].says("members are dialed past the proxy that the environment names")
			for _, n := range nodes {
				n.stop()
			}
		})
	}
}

// certificate makes the files of a certificate, signed by ca, that is for the given
// addresses, or for all, and the variables that name them.
func certificate(t *testing.T, ca *pki.Certificate, addresses []string) []string {
	t.Helper()
	dir := t.TempDir()
	c := pki.Issue(ca, func(c *x509.Certificate) {
		if c.IPAddresses = nil; addresses == nil {
			addresses = []string{"192.168.122.5", "192.168.122.6", "192.168.122.7"}
		}
		for _, a := range addresses {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(a))
		}
	})
	for name, content := range map[string][]byte{"ca.crt": ca.Cert, "peer.crt": c.Cert, "peer.key": c.Key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"ETCD_PEER_CERT_FILE=" + dir + "/peer.crt", "ETCD_PEER_KEY_FILE=" + dir + "/peer.key", "ETCD_PEER_TRUSTED_CA_FILE=" + dir + "/ca.crt",
		"ETCD_PEER_CLIENT_CERT_AUTH=true",
	}
}

// A certificate with the own address alone, and a connection that comes from
// another one: the peer sees etcd-3 come from .5, because between two addresses of
// one machine the kernel takes the same for both.
func TestSourceAddress(t *testing.T) {
	const etcd1, etcd3 = "192.168.122.5", "192.168.122.7"
	if !onNetwork(t, etcd1, etcd3) {
		return
	}
	nodes := on(t, "https", etcd1, etcd3)
	a, c := nodes[0], nodes[1]
	ca := pki.Issue(nil, pki.Authority)
	a.env = certificate(t, ca, nil)
	c.env = certificate(t, ca, []string{etcd3})
	a.start(true)
	c.start(true)
	cause := etcd1 + ": TLS: it sees " + etcd1 + ", the certificate is for " + etcd3
	st := c.until("telling why", func(st status.Status) bool { return strings.Contains(st.Line(), cause) })
	if shows(st, failure.IDPeerFrozen) {
		t.Errorf("a peer that answers is said to be frozen: %s", st.Line())
	}
	// The lines about it are counted.
	lines := 0
	for _, l := range a.Lines() {
		if strings.Contains(l, "rejected connection on peer endpoint") {
			lines++
		}
	}
	if lines == 0 || lines > 3 {
		t.Errorf("%d lines about rejected connections", lines)
	}
	c.signal(syscall.SIGTERM)
	c.exit()

	c.env = append(c.env, "ETCD_FEATURE_GATES=SetMemberLocalAddr=true")
	c.start(true)
	c.await("READY=1")
	for _, n := range []*node{c, a} {
		if st := n.with(2); len(st.AllConditions()) > 0 || !strings.Contains(st.Line(), "2 of 2 members") {
			t.Errorf("%s: %s, %+v", n.Name, st.Line(), st.AllConditions())
		}
	}
}
