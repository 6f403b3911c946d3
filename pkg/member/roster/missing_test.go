package roster

import (
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// nobody lives at any entry of the list.
func nobody(n Node) map[string]Life {
	all := map[string]Life{}
	for name := range n.List {
		all[name] = Life{Asked: true}
	}
	return all
}

// What lives at an entry that is no member decides whether it may be added. In a
// cluster of one, adding a node of another cluster costs the quorum.
func TestWhatLivesThere(t *testing.T) {
	const list = "the list names etcd-2 and etcd-3, the data only this member: "
	const add3 = "`etcd-node ctl member add etcd-3 --learner --peer-urls=http://192.168.122.7:2380`, start it, promote it when the status says so; or correct the list"
	other, nobody := Life{Asked: true, Cluster: "d"}, Life{Asked: true}
	for what, tc := range map[string]struct {
		lives map[string]Life
		want  string
	}{
		"not asked yet":            {nil, "do not add etcd-2 and etcd-3 before `etcd-node status` of a member that serves says what lives there; or correct the list"},
		"both of another cluster":  {map[string]Life{"etcd-2": other, "etcd-3": other}, "etcd-2 and etcd-3 of the list belong to another cluster, d: do not add them; correct the list"},
		"of two others":            {map[string]Life{"etcd-2": other, "etcd-3": {Asked: true, Cluster: "b"}}, "etcd-2 and etcd-3 of the list belong to another cluster, b and d: do not add them; correct the list"},
		"one of another cluster":   {map[string]Life{"etcd-2": other, "etcd-3": nobody}, "etcd-2 of the list belongs to another cluster, d: do not add it; " + add3},
		"the other is not known":   {map[string]Life{"etcd-2": other}, "etcd-2 of the list belongs to another cluster, d: do not add it; do not add etcd-3 before `etcd-node status` of a member that serves says what lives there; or correct the list"},
		"a member by another name": {map[string]Life{"etcd-2": {Asked: true, Cluster: "c"}, "etcd-3": nobody}, "a member of this very cluster answers at etcd-2: if the data does not have it under another URL, one of the two was started with --force-new-cluster, and the one that is not meant must be stopped for good; " + add3},
	} {
		n := New("etcd-1", ofHTTP, nil, []string{"http://192.168.122.5:2380"})
		n.Lives, n.Cluster = tc.lives, "c"
		got := n.Compare(three("etcd-2=", "etcd-3="))
		if len(got) != 1 || got[0].ID != failure.IDOtherMembers || got[0].Text != list+tc.want {
			t.Errorf("%s:\n%+v, want\n%s", what, got, list+tc.want)
		}
		if len(got) == 1 && strings.Contains(got[0].Text, "member add") && !strings.Contains(tc.want, "member add") {
			t.Errorf("%s: it names a command", what)
		}
	}
	n := New("etcd-1", ofHTTP, nil, nil)
	if got := n.Missing(three("etcd-3=")); len(got) != 1 || got["etcd-3"][0] != "http://192.168.122.7:2380" || n.Missing(nil) != nil {
		t.Errorf("missing: %v", got)
	}
}
