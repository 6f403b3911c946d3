package roster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// Life is what lives at the URLs of a list's entry that is no member. A node with
// data of its own must not be added: it would never join, and count all the same.
type Life struct {
	Asked   bool
	Cluster string // of the member that answered, hexadecimal; "": none did
}

// missing is about entries of the list that the cluster does not have. A command
// is named only for one of which it is known that no member answers there, and
// only as a learner, which cannot cost the quorum.
func (n Node) missing(names []string, alone bool) Difference {
	d := Difference{ID: failure.IDOtherMembers, Who: names[0]}
	data := "the data does not"
	if alone {
		data = "the data only this member"
	}
	var foreign, ours, unasked, free []string
	clusters := map[string]bool{}
	for _, name := range names {
		switch life := n.Lives[name]; {
		case !life.Asked:
			unasked = append(unasked, name)
		case life.Cluster == "":
			free = append(free, name)
		case life.Cluster == n.Cluster:
			ours = append(ours, name)
		default:
			foreign = append(foreign, name)
			clusters[life.Cluster] = true
		}
	}
	var parts []string
	if len(foreign) > 0 {
		parts = append(parts, fmt.Sprintf("%s of the list %s to another cluster, %s: do not add %s", texts(foreign), verb(foreign, "belongs", "belong"),
			Join(slices.Sorted(maps.Keys(clusters))), verb(foreign, "it", "them")))
	}
	if len(ours) > 0 {
		parts = append(parts, fmt.Sprintf("a member of this very cluster answers at %s: if the data does not have it under another URL, one of the two was started with --force-new-cluster, and the one that is not meant must be stopped for good", texts(ours)))
	}
	switch {
	case len(free) > 0:
		name, more := free[0], ""
		if len(free) > 1 {
			more = ", then the next"
		}
		parts = append(parts, fmt.Sprintf("%s, start it, promote it when the status says so%s", n.etcdctl("member add %s --learner --peer-urls=%s", name, list(n.List[name])), more))
	case len(unasked) > 0:
		parts = append(parts, "do not add "+texts(unasked)+" before `etcd-node status` of a member that serves says what lives there")
	}
	instead := "correct the list"
	if len(free)+len(unasked) > 0 {
		instead = "or " + instead
	}
	d.Text = fmt.Sprintf("the list names %s, %s: %s; %s", texts(names), data, strings.Join(parts, "; "), instead)
	return d
}

// texts lists names as they may be shown.
func texts(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = shown.Text(name)
	}
	return Join(all)
}

func verb(of []string, one, several string) string {
	if len(of) == 1 {
		return one
	}
	return several
}

// Missing are the entries of the list that no member is, with their URLs.
func (n Node) Missing(members []Member) map[string][]string {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Self })
	if i < 0 {
		return nil
	}
	_, own := n.misnamed(members[i])
	_, names, _ := n.pair(members[i], slices.Delete(slices.Clone(members), i, i+1))
	urls := map[string][]string{}
	for _, name := range names {
		if name != own {
			urls[name] = n.List[name]
		}
	}
	return urls
}
