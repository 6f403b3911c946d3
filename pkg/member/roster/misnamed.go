package roster

import (
	"cmp"
	"fmt"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// misnamed is the one entry of the list that has this member's URLs, where its own
// name is none of the list's.
func (n Node) misnamed(self Member) (d Difference, name string) {
	if _, ok := n.List[n.Name]; ok || len(self.PeerURLs) == 0 {
		return d, ""
	}
	for entry, urls := range n.List {
		if !same(urls, self.PeerURLs) {
			continue
		}
		if name != "" {
			return d, "" // names for addresses: it cannot be told
		}
		name = entry
	}
	if name == "" {
		return d, ""
	}
	mend := fmt.Sprintf("set ETCD_NAME=%s", shown.Quoted(name))
	if n.NameSource != "" {
		mend = "remove or correct " + n.NameSource
	}
	return Difference{
		ID: failure.IDOtherMembers, Who: name,
		Text: fmt.Sprintf("the list names this member %s, %s says %s: %s, or correct the list",
			shown.Text(name), cmp.Or(n.NameSource, "its own name"), shown.Text(n.Name), mend),
	}, name
}

// renamed is that the list calls this member otherwise than the cluster does up to
// now. With its start the list's name is the cluster's, too.
func (n Node) renamed(self Member) (d Difference, yes bool) {
	_, listed := n.List[n.Name]
	if _, old := n.List[self.Name]; self.Name == "" || self.Name == n.Name || !listed || old {
		return d, false
	}
	return Difference{
		ID: failure.IDOtherMembers, Who: n.Name,
		Text: fmt.Sprintf("this member was called %s in the cluster; it is now %s, as the list says", shown.Text(self.Name), shown.Text(n.Name)),
	}, true
}
