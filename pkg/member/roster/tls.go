package roster

import (
	"fmt"
	"slices"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// tls mends what is said of this member where the data has https and the list has
// not: nothing is to be taken back.
func (n Node) tls(d Difference, self Member, others []Member) Difference {
	if len(others) == 0 || !secure(self.PeerURLs) || slices.ContainsFunc(others, func(m Member) bool { return !secure(m.PeerURLs) }) {
		return d
	}
	switch has, want := list(self.PeerURLs), list(n.Own); {
	case !n.TLS && !secure(n.Listens):
		// There may be no leader, and then no `member update` either.
		d.Text = fmt.Sprintf("the data knows this member under %s, the list says %s: the others are to dial it with TLS, for which it has no certificate: give it its own (ETCD_PEER_CERT_FILE, ETCD_PEER_KEY_FILE, ETCD_PEER_TRUSTED_CA_FILE) and the list of https, and restart it; if no member has any, do so on all machines, then restart all", has, want)
		d.Apart, d.Idle, d.Case = true, false, failure.CaseFromTLS
	case n.TLS && secure(n.Listens) && !secure(n.Own) && mayShareHost(self.PeerURLs, n.Own) && onePort(self.PeerURLs, n.Own):
		d.Text = fmt.Sprintf("the data knows this member under %s, the list says %s: the data counts, and it listens with TLS; correct the list", has, want)
	}
	return d
}
