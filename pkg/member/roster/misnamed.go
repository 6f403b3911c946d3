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
