package settings

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	of := func(environ ...string) *Resolved {
		r := &Resolved{}
		for _, kv := range environ {
			name, value, _ := strings.Cut(kv, "=")
			s := Setting{Name: Flag(name), Value: value, Origin: FromEnvironment, Source: name}
			if strings.HasPrefix(name, OwnPrefix) {
				s.Name = name
				r.Own = append(r.Own, s)
			} else {
				r.Settings = append(r.Settings, s)
			}
		}
		return r
	}
	a := of("ETCD_NAME=a", "ETCD_MAX_WALS=7", "ETCD_ELECTION_TIMEOUT=2000", "ETCD_DATA_DIR=/a", "ETCD_NODE_READY=all", "ETCD_SNAPSHOT=1")
	b := of("ETCD_NAME=a", "ETCD_ELECTION_TIMEOUT=3000", "ETCD_DATA_DIR=/b", "ETCD_NODE_READY=quorum", "ETCD_INITIAL_CLUSTER_STATE=existing", "ETCD_SNAPSHOT=2")
	for _, hasData := range []bool{false, true} {
		a.HasData = hasData
		dir, state := atRestart, atFirst
		if hasData {
			dir, state = otherDir, tooLate
		}
		want := []Change{
			{"ETCD_NODE_READY", "all", "quorum", "environment ETCD_NODE_READY", atRestart},
			{"data-dir", "/a", "/b", "environment ETCD_DATA_DIR", dir},
			{"election-timeout", "2000", "3000", "environment ETCD_ELECTION_TIMEOUT", onAllHosts},
			{"initial-cluster-state", "", "existing", "environment ETCD_INITIAL_CLUSTER_STATE", state},
			{"max-wals", "7", "", "was environment ETCD_MAX_WALS", atRestart},
			{"snapshot", "1", "2", "environment ETCD_SNAPSHOT", noEffect},
		}
		if got := a.Diff(b); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if got := a.Diff(a); len(got) > 0 {
		t.Errorf("with itself: %+v", got)
	}
}
