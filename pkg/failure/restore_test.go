package failure

import (
	"slices"
	"strings"
	"testing"
)

// A member without a quorum looks at itself and asks the others before it
// throws anything away; and it does not ask with --cluster, which needs what
// it lacks.
func TestNoQuorumRestoresLast(t *testing.T) {
	f := New(IDNoQuorum, "").Fill(map[string]string{"endpoints": "http://192.0.2.2:2379,http://192.0.2.3:2379"})
	if strings.Contains(strings.Join(f.Next, "\n"), "--cluster ") {
		t.Errorf("asks with --cluster: %q", f.Next)
	}
	at := func(what string) int {
		return slices.IndexFunc(f.Next, func(step string) bool { return strings.Contains(step, what) })
	}
	order := []int{at("etcd-node status"), at("endpoint status --endpoints=http://192.0.2.2:2379,http://192.0.2.3:2379"), at("more than half of the members"), at("snapshot restore")}
	if order[0] != 0 || !slices.IsSorted(order) {
		t.Errorf("%v: %q", order, f.Next)
	}
}

// etcdutl writes a cluster of one on localhost where it is not told more, and
// what it writes as root the service user cannot read.
func TestRestoreIsWhole(t *testing.T) {
	found := 0
	for _, e := range All() {
		all := strings.Join(New(e.ID, "").Fill(map[string]string{
			"name": "etcd-1", "data-dir": "/var/lib/etcd", "peer-urls": "http://192.0.2.1:2380",
			"initial-cluster": "etcd-1=http://192.0.2.1:2380,etcd-2=http://192.0.2.2:2380", "cluster-id": "cb84685a2cc9ed23",
		}).Next, "\n")
		if !strings.Contains(all, "snapshot restore ") {
			continue
		}
		found++
		for _, want := range []string{
			"--name=etcd-1 ", "--initial-cluster=etcd-1=http://192.0.2.1:2380,etcd-2=http://192.0.2.2:2380 ",
			"--initial-advertise-peer-urls=http://192.0.2.1:2380 ", "--initial-cluster-token=cb84685a2cc9ed23-restored; ",
			"mv -T /var/lib/etcd/restored/member /var/lib/etcd/member; ", "chown -R etcd:etcd /var/lib/etcd; ", "etcd-node forget",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%s lacks %q:\n%s", e.ID, want, all)
			}
		}
	}
	if found == 0 {
		t.Error("nowhere is a snapshot restored")
	}
}
