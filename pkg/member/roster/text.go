package roster

import (
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// own compares what the data says of this member.
func (n Node) own(self Member, alone bool) (d Difference, differs bool) {
	has, want := list(self.PeerURLs), list(n.Own)
	d = Difference{ID: failure.IDOtherURLs, Who: n.Name, Case: urlCase(self.PeerURLs, n.Own)}
	know := fmt.Sprintf("the data knows this member under %s, the list says %s", has, want)
	update := n.etcdctl("member update %s --peer-urls=%s", self.ID, want)
	restart := "`" + failure.Systemctl("restart", n.Values) + "`"
	heard := oneScheme(self.PeerURLs, n.Listens)
	switch {
	case len(n.Own) == 0, len(self.PeerURLs) == 0:
		return d, false
	case same(self.PeerURLs, n.Own):
		if alone || heard || !n.Derived {
			return d, false // where the operator says where it listens there may be a proxy
		}
		d.Case = failure.CaseRestart
		d.Text = fmt.Sprintf("the other members dial %s, but this one listens there without TLS until it is restarted: %s", has, restart)
	case alone && local(self.PeerURLs) && local(n.Own):
		return d, false // nobody ever dials it
	case alone:
		d.Text = fmt.Sprintf("%s: before another member is added, %s", know, update)
	case heardAt(self.PeerURLs, n.Listens) && !heardAt(n.Own, n.Listens):
		// A slip of the pen, or where it shall be one day. Where the list is merely
		// old it is to be corrected, too.
		d.Text = fmt.Sprintf("%s: the data counts, and it listens there; correct the list, or, if it is to move there, first %s", know, update)
	case !heard && secure(self.PeerURLs) && !n.TLS:
		d.Case = failure.CaseEarly
		d.Text, d.Apart = fmt.Sprintf("%s: the others are to dial it with TLS, for which it has no certificate; if they have theirs, give it its own and the list of https, else take it back: %s", know, update), true
	case !heard && secure(self.PeerURLs):
		d.Text = know + ": it listens there without TLS until it is restarted: " + restart + "; correct the list"
		if !n.Derived {
			d.Text, d.Apart = know+": the others dial it with TLS, but ETCD_LISTEN_PEER_URLS has http alone; add https there, and correct the list", true
		}
	case !heard && n.Derived: // members were added since it has started
		d.Text, d.Apart = fmt.Sprintf("%s: the others dial it without TLS, and it listens with TLS alone until it is restarted: %s", know, restart), true
	case !heard:
		d.Text, d.Apart = fmt.Sprintf("%s: the others dial it without TLS, but ETCD_LISTEN_PEER_URLS has https alone; first %s", know, update), true
	case !secure(self.PeerURLs) && secure(n.Own):
		first := update
		if !n.Derived && !oneScheme(n.Own, n.Listens) {
			first = "add https to ETCD_LISTEN_PEER_URLS (in place of http on the same port), then " + update
		}
		d.Text = fmt.Sprintf("%s: the data counts, and it listens without TLS; once all members run with their certificates, first %s, then %s", know, first, restart)
	default:
		d.Text = fmt.Sprintf("%s: the data counts; first %s", know, update)
		d.Apart = !mayShareHost(self.PeerURLs, n.Own) || !onePort(self.PeerURLs, n.Listens)
	}
	return d, true
}

// urlCase is which case of the entry it is that the data and the list differ.
func urlCase(has, want []string) string {
	switch {
	case secure(has) && !secure(want):
		return failure.CaseFromTLS
	case !secure(has) && secure(want):
		return failure.CaseToTLS
	}
	return failure.CaseMoved
}

// other compares what the data says of another member. ownToo: this member's
// own URLs differ, too, and have to be changed.
func (n Node) other(m Member, name string, ownToo bool) (d Difference, differs bool) {
	want := n.List[name]
	if same(m.PeerURLs, want) {
		return d, false
	}
	d = Difference{ID: failure.IDOtherURLs, Who: name, Case: failure.CaseOther}
	if m.Name == "" {
		update := n.etcdctl("member update %s --peer-urls=%s", m.ID, list(want))
		d.ID, d.Case = failure.IDNeverStarted, ""
		d.Text = fmt.Sprintf("a member was added as %s and has never started, the list says %s for %s: start it under exactly the URL with which it was added, or %s",
			list(m.PeerURLs), list(want), shown.Text(name), update)
		return d, true
	}
	if m.Absent && !m.Reached {
		d.ID = failure.IDNeverStarted
		d.Text = fmt.Sprintf("the cluster has a member %s (%s) at %s that has never started, the list says %s: %s; or, if the list is wrong, correct it",
			shown.Text(m.Name), m.ID, list(m.PeerURLs), list(want), n.etcdctl("member update %s --peer-urls=%s", m.ID, list(want)))
		return d, true
	}
	// No command: which of the two is right, that member's own node knows, and names
	// it there. One that is merely down would lose its right address by it.
	d.Text = fmt.Sprintf("the data knows %s under %s, the list says %s: the data counts", shown.Text(name), list(m.PeerURLs), list(want))
	switch away := !mayShareHost(m.PeerURLs, want) || !onePort(m.PeerURLs, want); {
	case ownToo:
		d.Apart = away && !m.Reached
	case m.Reached:
		d.Text += ", and it answers there; correct the list"
		d.Idle = true // its own node says it, where it is to be changed
	default:
		d.Text += fmt.Sprintf("; correct the list, or, if %s has moved, see its own status", shown.Text(name))
		d.Apart = away
	}
	return d, true
}

// beside is about a member that the list does not have.
func beside(m Member) Difference {
	who, never := shown.Text(m.Name), ""
	if m.Name == "" {
		who, never = "member "+m.ID, ", which has never started,"
	}
	return Difference{
		ID: failure.IDOtherMembers, Who: m.Name, Idle: true,
		Text: fmt.Sprintf("the data has %s (%s)%s beside those of the list: the data counts; add it to the list", who, list(m.PeerURLs), never),
	}
}

// etcdctl is a command of etcdctl's to paste, with words that are quoted for the
// shell.
func (n Node) etcdctl(format string, words ...string) string {
	quoted := make([]any, len(words))
	for i, w := range words {
		quoted[i] = shown.Quoted(w)
	}
	return "`" + failure.Etcdctl(fmt.Sprintf(format, quoted...), n.Values) + "`"
}

// list is URLs as etcd's flags have them.
func list(urls []string) string { return shown.Text(strings.Join(urls, ",")) }
