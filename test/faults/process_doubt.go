package main

import (
	"bytes"
	"context"
	"crypto/x509"
	le "encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/pki"
)

// doubt is what looks like something worse: a stranger's word for a removal, and
// one damaged message.
func (p *product) doubt() []fault {
	return []fault{
		{"a service that answers 403 has a member's address, the third member is down", failure.IDRemovalUnproven, named, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			a.stop()
			gone := s.forbid(a.Peer)
			b.stop()
			c.until("told both causes", func(st status.Status) bool {
				return st.LastEnd != nil && strings.Contains(st.LastEnd.Cause, "HTTP 403") && strings.Contains(st.LastEnd.Cause, "refused")
			})
			at := time.Now()
			c.Mark()
			seen, shown := c.waits(failure.IDRemovalUnproven)
			gone()
			a.start()
			c.Mark()
			c.serves()
			c.kept()
			return seen, shown.Sub(at)
		})},
		{"removed while it is down; a service that answers 403 has one peer's address, the other peer is there", failure.IDRemoved, refusal + "; never READY", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			id := c.id()
			c.stop()
			b.remove(id)
			b.until("of two", func(st status.Status) bool { return len(st.View.Members) == 2 })
			a.stop()
			s.forbid(a.Peer)
			c.start()
			seen, took := c.refused(failure.IDRemoved)
			if c.said("READY=1") {
				s.fail("it said READY=1")
			}
			return seen, took
		})},
		{"one damaged message: the leader's heartbeat names an entry that no log has", failure.IDMessage, back, goalServing, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			n := others[0]
			n.Mark()
			at := time.Now()
			n.damagedHeartbeat(leader)
			seen, _ := n.waits(failure.IDMessage)
			_, took := n.back(at)
			return seen, took
		})},
		{"the same a second time, at once", failure.IDWALLost, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			leader, others := s.leads(s.three())
			n := others[0]
			n.Mark()
			n.damagedHeartbeat(leader)
			n.waits(failure.IDMessage)
			n.serves()
			at := time.Now()
			n.damagedHeartbeat(leader)
			seen, took := n.refused(failure.IDWALLost)
			others[1].kept()
			return seen, took - at.Sub(n.begun)
		})},
		p.spoilt("an entry of the WAL that cannot be decoded", failure.IDDamaged, func(s *stage, n *local) {
			n.appendLog(func(st *raftpb.HardState, last uint64) []*raftpb.Entry {
				st.Commit = new(last + 1)
				return []*raftpb.Entry{{Term: st.Term, Index: new(last + 1), Type: raftpb.EntryNormal.Enum(), Data: bytes.Repeat([]byte{0xff}, 40)}}
			})
		}),
		p.spoilt("a bucket of the database without its head: a runtime error in bbolt", failure.IDDamaged, func(s *stage, n *local) { s.change(n.db(), behead) }),
		{"an entry of etcd 3.5 in data that etcd 3.6 has opened since", failure.IDTooOld, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.keep()
			n.publishAsV2()
			n.start()
			seen, took := n.refused(failure.IDTooOld)
			n.restore()
			n.up()
			n.kept()
			return seen, took
		})},
		// Two members elect nobody while one of them is down: election timeouts count.
		{"ETCD_FORCE_NEW_CLUSTER left in place, a member added, SIGKILL of the member", failure.IDForced, "it counts once: both stay members; the line to remove is shown", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b := s.forced()
			a.Mark()
			at := time.Now()
			a.signal(a.member(), syscall.SIGKILL)
			a.await("STATUS=backoff: killed by signal 9")
			_, took := a.back(at)
			line, _ := a.condition(failure.IDForced)
			b.kept()
			b.with(2)
			return a.essence(line), took
		})},
		{"the same, and the daemon is started again", failure.IDForcedAgain, refusal, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b := s.forced()
			a.stop()
			a.start()
			seen, took := a.refused(failure.IDForcedAgain)
			a.unset("ETCD_FORCE_NEW_CLUSTER")
			a.up()
			a.with(2)
			b.kept()
			return seen, took
		})},
		{"a member's certificate is not for the address that its peer sees", "-", "the cause is shown with both addresses; serves when it has a better one", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			nodes := s.cluster("a", "b")
			a, b := nodes[0], nodes[1]
			a.Peer = strings.Replace(a.Peer, "http", "https", 1)
			b.Peer = strings.NewReplacer("http", "https", "127.0.0.1", "127.0.0.7").Replace(b.Peer)
			list := "a=" + a.Peer + ",b=" + b.Peer
			a.Cluster, b.Cluster = list, list
			ca := pki.Issue(nil, pki.Authority)
			a.certificate(ca, "127.0.0.1", "127.0.0.7")
			b.certificate(ca, "127.0.0.7") // it comes from 127.0.0.1
			a.start()
			b.start()
			st, shown := b.until("telling why", func(st status.Status) bool {
				return strings.Contains(st.Line(), "127.0.0.1: TLS: it sees 127.0.0.1, the certificate is for 127.0.0.7")
			})
			seen, took := b.essence(st.Line()), shown.Sub(b.begun)
			b.Mark()
			b.certificate(ca, "127.0.0.1", "127.0.0.7") // etcd reads it anew for each connection
			b.with(2)
			b.put()
			a.kept()
			return seen, took
		})},
	}
}

// behead takes the head of the bucket "key" away, which bbolt does not expect: it
// begins in the value of an element of a leaf page.
func behead(b []byte) []byte {
	const page, head, element = 4096, 16, 16
	for p := 0; p+page <= len(b); p += page {
		if flags := le.LittleEndian.Uint16(b[p+8:]); flags != 2 { // a leaf
			continue
		}
		for i := range int(le.LittleEndian.Uint16(b[p+10:])) {
			e := p + head + i*element
			if e+element > len(b) || le.LittleEndian.Uint32(b[e:]) != 1 { // a bucket
				continue
			}
			name := e + int(le.LittleEndian.Uint32(b[e+4:]))
			if size := int(le.LittleEndian.Uint32(b[e+8:])); name+size <= len(b) && string(b[name:name+size]) == "key" {
				le.LittleEndian.PutUint32(b[e+12:], 0)
			}
		}
	}
	return b
}

// forbid answers 403 to all at a peer URL. What it returns ends that.
func (s *stage) forbid(peerURL string) (gone func()) {
	u, err := url.Parse(peerURL)
	s.must(err)
	l, err := net.Listen("tcp", u.Host)
	s.must(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Forbidden", http.StatusForbidden) })}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	gone = func() { _ = server.Close(); <-done }
	s.undo = append(s.undo, gone)
	return gone
}

// damagedHeartbeat sends a member what its leader would, but for the number of the
// last entry that is committed.
func (n *local) damagedHeartbeat(leader *local) {
	st, _ := n.until("a member", func(st status.Status) bool { return st.View.MemberID != "" && len(st.View.Members) > 0 })
	ctx, cancel := context.WithTimeout(n.s.ctx, patience)
	defer cancel()
	now, err := leader.etcd().Status(ctx, leader.Client)
	n.s.must(err)
	message, err := proto.Marshal(&raftpb.Message{
		Type: raftpb.MsgHeartbeat.Enum(), From: new(leader.id()), To: new(n.id()), Term: &now.RaftTerm, Commit: new(now.RaftIndex + 118),
	})
	n.s.must(err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Peer+"/raft", bytes.NewReader(message))
	n.s.must(err)
	req.Header.Set("X-Server-Version", version.Version)
	req.Header.Set("X-Min-Cluster-Version", version.MinClusterVersion)
	req.Header.Set("X-Etcd-Cluster-ID", st.View.ClusterID)
	if resp, err := http.DefaultClient.Do(req); err == nil { // it may be gone before it answers
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			n.s.fail("%s answers the message with %s", n.Name, resp.Status)
		}
	}
}

// forced is what is left of three, which has begun a new cluster with the setting in
// its env file, and a member that was added.
func (s *stage) forced() (a, b *local) {
	a, b, c := s.three()
	for _, n := range []*local{a, b, c} {
		n.stop()
	}
	a.set("ETCD_FORCE_NEW_CLUSTER", "true")
	a.up()
	a.kept()
	s.removeAll(b.Data())
	b.command("forget")
	cli := a.etcd()
	s.eventually(func() error { _, err := cli.MemberAdd(s.ctx, []string{b.Peer}); return err })
	b.set("ETCD_INITIAL_CLUSTER", fmt.Sprintf("a=%s,b=%s", a.Peer, b.Peer))
	b.set("ETCD_INITIAL_CLUSTER_STATE", "existing")
	b.up()
	a.with(2)
	return a, b
}

// with waits until it serves in a cluster of so many members, all connected.
func (n *local) with(members int) {
	n.until("serving with all", func(st status.Status) bool {
		return st.State == status.Serving && len(st.View.Members) == members && st.View.AllConnected()
	})
}

// certificate gives it a certificate for these addresses, and asks for one.
func (n *local) certificate(ca *pki.Certificate, addresses ...string) {
	c := pki.Issue(ca, func(c *x509.Certificate) {
		c.IPAddresses = nil
		for _, a := range addresses {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(a))
		}
	})
	for name, content := range map[string][]byte{"ca.crt": ca.Cert, "peer.crt": c.Cert, "peer.key": c.Key} {
		path := filepath.Join(n.Dir, name)
		n.s.must(os.WriteFile(path+".new", content, 0o600))
		n.s.must(os.Rename(path+".new", path))
	}
	n.set("ETCD_PEER_CERT_FILE", filepath.Join(n.Dir, "peer.crt"))
	n.set("ETCD_PEER_KEY_FILE", filepath.Join(n.Dir, "peer.key"))
	n.set("ETCD_PEER_TRUSTED_CA_FILE", filepath.Join(n.Dir, "ca.crt"))
	n.set("ETCD_PEER_CLIENT_CERT_AUTH", "true")
}
