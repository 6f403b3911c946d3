package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/pki"
)

// list is about a cluster list that says something else than the data.
func (p *product) list() []fault {
	return []fault{
		{"https in the list of all members, http in the data", failure.IDOtherURLs, carrying + "; connected to all, until `member update`", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			nodes := []*local{a, b, c}
			s.certified(nodes...)
			list := strings.ReplaceAll(a.Cluster, "http://", "https://")
			for _, n := range nodes { // those that are dialed with TLS, and those that dial so
				n.set("ETCD_INITIAL_CLUSTER", list)
				n.set("ETCD_LISTEN_PEER_URLS", "")
				n.set("ETCD_INITIAL_ADVERTISE_PEER_URLS", "")
				n.stop()
				n.up()
				for _, x := range nodes {
					x.until("connected to all", func(st status.Status) bool { return st.View.Ready && st.View.AllConnected() })
				}
			}
			line, at := c.condition(failure.IDOtherURLs)
			took := at.Sub(c.begun)
			for _, n := range nodes {
				s.updated(a, n, strings.Replace(n.Peer, "http://", "https://", 1))
				n.stop()
				n.up()
			}
			for _, n := range nodes {
				n.well()
			}
			return c.essence(line), took
		})},
		{"other peer URLs in the list of all members than in the data", failure.IDOtherURLs, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b, c := s.three()
			nodes := []*local{a, b, c}
			old := map[*local]string{}
			var members []*loopback.Member
			for _, n := range nodes {
				n.stop()
				old[n] = n.Peer
				n.Peer = "http://" + loopback.Address()
				members = append(members, &n.Member)
			}
			loopback.Unite(members...)
			for _, n := range nodes {
				n.start()
			}
			line, at := c.condition(failure.IDOtherURLs)
			took := at.Sub(c.begun)
			for _, n := range nodes {
				n.stop()
				n.set("ETCD_LISTEN_PEER_URLS", n.Peer+","+old[n])
				n.start()
			}
			for _, n := range nodes {
				n.serves()
			}
			for _, n := range nodes {
				s.updated(a, n, n.Peer)
			}
			for _, n := range nodes {
				n.stop()
				n.unset("ETCD_LISTEN_PEER_URLS")
				n.up()
			}
			for _, n := range nodes {
				n.well()
			}
			return c.essence(line), took
		})},
		{"three members in the list, one in the data", failure.IDOtherMembers, carrying, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_INITIAL_CLUSTER", n.Cluster+",b=http://127.0.0.1:1,c=http://127.0.0.1:2")
			n.up()
			line, at := n.condition(failure.IDOtherMembers)
			n.kept()
			return n.essence(line), at.Sub(n.begun)
		})},
		{"a second member added under a wrong URL", failure.IDNeverStarted, shown, goalExplained, p.on(func(s *stage) (string, time.Duration) {
			a, b := s.single(), s.local("b")
			wrong := "http://" + loopback.Address()
			c := a.etcd()
			s.eventually(func() error { _, err := c.MemberAdd(s.ctx, []string{wrong}); return err })
			added := time.Now()
			line, at := a.condition(failure.IDNeverStarted)
			b.Peer, b.Cluster = wrong, a.Cluster+",b="+wrong
			b.set("ETCD_INITIAL_CLUSTER_STATE", "existing")
			b.up()
			a.until("well", func(st status.Status) bool { return st.View.AllConnected() && st.View.Leader != "" })
			b.kept()
			return a.essence(line), at.Sub(added)
		})},
	}
}

// certified gives the nodes certificates for their peers.
func (s *stage) certified(nodes ...*local) {
	ca := pki.Issue(nil, pki.Authority)
	cert := pki.Issue(ca, nil)
	for _, n := range nodes {
		for name, content := range map[string][]byte{"CERT": cert.Cert, "KEY": cert.Key, "TRUSTED_CA": ca.Cert} {
			path := filepath.Join(n.Dir, strings.ToLower(name))
			s.must(os.WriteFile(path, content, 0o600))
			n.set(fmt.Sprintf("ETCD_PEER_%s_FILE", name), path)
		}
	}
}

// updated tells the cluster, through one member, where another one is.
func (s *stage) updated(through, n *local, url string) {
	st, _ := n.until("a member", func(st status.Status) bool { return st.View.MemberID != "" })
	id, err := strconv.ParseUint(st.View.MemberID, 16, 64)
	s.must(err)
	c := through.etcd()
	s.eventually(func() error { _, err := c.MemberUpdate(s.ctx, id, []string{url}); return err })
}
