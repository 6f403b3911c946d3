package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// Node is what the configuration says of this node.
type Node struct {
	Name    string
	List    map[string][]string // peer URLs by name; empty: there is no list
	Own     []string            // this member's peer URLs; empty: nothing is said of them
	Listens []string            // where it listens for peers
	Derived bool                // Listens are not the operator's own: they follow the data
	TLS     bool                // there is a certificate for peers
	Values  failure.Values      // for the commands
	// NameSource is where Name was set; "" where it was not.
	NameSource string

	Lives   map[string]Life // at the entries of the list that are no members, by name
	Cluster string          // this member's, hexadecimal
}

// New takes the list and this member's peer URLs apart. What is etcd's own
// default says nothing.
func New(name, initialCluster string, advertised, listens []string) Node {
	n := Node{Name: name, Listens: listens}
	said := func(urls []string) bool {
		return len(urls) > 0 && !slices.Equal(urls, []string{embed.DefaultInitialAdvertisePeerURLs})
	}
	list, err := types.NewURLsMap(initialCluster)
	if err == nil && said(list[name].StringSlice()) || len(list) > 1 {
		n.List = map[string][]string{}
		for name, urls := range list {
			n.List[name] = urls.StringSlice()
		}
	}
	switch own, ok := n.List[name]; {
	case ok:
		n.Own = own
	case len(n.List) == 0 && said(advertised): // discovery
		n.Own = advertised
	}
	return n
}

// Member is a member of the cluster, as the data has it.
type Member struct {
	ID       string // hexadecimal
	Name     string // "": it has never started
	PeerURLs []string
	Self     bool
	Reached  bool // it answers there; false where that is not known
	// Absent: it has a name, from the beginning of the cluster, but has never served.
	Absent bool
}

// Difference is one between the list and the data.
type Difference struct {
	ID   string // of the catalogue
	Who  string // the name of the member that it is about
	Text string
	Case string // of the entry; "" where it has none
	// Idle: nothing is wrong, the list is merely old.
	Idle bool
	// Apart: because of it members may not find each other.
	Apart bool
}

// Compare lists the differences, this member's own first and then by name.
func (n Node) Compare(members []Member) []Difference {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Self })
	if i < 0 {
		return nil // it was removed, or nothing is known yet
	}
	self, others := members[i], slices.Delete(slices.Clone(members), i, i+1)
	var own, all []Difference
	ownToo := false // differs from the list, and has to be changed
	if d, ok := n.own(self, len(others) == 0); ok {
		own = append(own, n.tls(d, self, others))
		ownToo = !d.Idle && !same(self.PeerURLs, n.Own)
	}
	if len(n.List) == 0 {
		return own
	}
	paired, missing, more := n.pair(self, others)
	if d, ok := n.renamed(self); ok {
		own = append(own, d)
	}
	if d, name := n.misnamed(self); name != "" {
		own = append(own, d)
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
	}
	for _, p := range paired {
		if d, ok := n.other(p.member, p.name, ownToo); ok {
			all = append(all, d)
		}
	}
	if len(missing) > 0 {
		all = append(all, n.missing(missing, len(others) == 0))
	}
	for _, m := range more {
		all = append(all, beside(m))
	}
	slices.SortStableFunc(all, func(a, b Difference) int { return cmp.Compare(a.Who, b.Who) })
	return append(own, all...)
}

// Short merges the differences about URLs, which mostly are of one kind and
// mended by the same command on each machine, into one for a status line. What
// is idle is left out.
func Short(all []Difference) (short []Difference) {
	var same []string
	first := -1
	for _, d := range all {
		switch {
		case d.Idle:
		case d.ID != failure.IDOtherURLs:
			short = append(short, d)
		case first < 0:
			first = len(short)
			short = append(short, d)
		default:
			short[first].Apart = short[first].Apart || d.Apart
			same = append(same, d.Who)
		}
	}
	if len(same) > 0 {
		short[first].Text += "; the same of " + Join(same)
	}
	return short
}

// pair is an entry of the list and the member that it means.
type pair struct {
	name   string
	member Member
}

// pair finds the member of each entry but this node's own: by name, else by its
// URLs, because a name may change; else one that has never started and so has
// no name, on the same host. It returns the entries and the members that are
// left.
func (n Node) pair(self Member, others []Member) (paired []pair, missing []string, more []Member) {
	more = slices.Clone(others)
	for name := range n.List {
		// An old name of this member may still stand there beside the new one.
		if name != n.Name && name != self.Name {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	for _, fits := range []func(Member, string) bool{
		func(m Member, name string) bool { return m.Name == name },
		func(m Member, name string) bool { return same(m.PeerURLs, n.List[name]) },
		func(m Member, name string) bool { return m.Name == "" && mayShareHost(m.PeerURLs, n.List[name]) },
	} {
		missing = slices.DeleteFunc(missing, func(name string) bool {
			i := slices.IndexFunc(more, func(m Member) bool { return fits(m, name) })
			if i >= 0 {
				paired = append(paired, pair{name, more[i]})
				more = slices.Delete(more, i, i+1)
			}
			return i >= 0
		})
	}
	return paired, missing, more
}

// Join lists names in a sentence.
func Join(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return strings.Join(names, "")
}

// Stored are the members that a data directory holds, where self is its own.
func Stored(members []datadir.Member, self uint64) (all []Member) {
	for _, m := range members {
		all = append(all, Member{ID: fmt.Sprintf("%x", m.ID), Name: m.Name, PeerURLs: m.PeerURLs, Self: m.ID == self})
	}
	return all
}
