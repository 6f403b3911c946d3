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

// Where the URLs for peers are derived, their scheme follows the data: a new
// list alone does not change it.
func TestDiffOfSchemes(t *testing.T) {
	of := func(origin Origin, url string) *Resolved {
		return &Resolved{HasData: true, Settings: []Setting{{Name: "listen-peer-urls", Value: url, Origin: origin}}}
	}
	const plain, tls = "http://192.168.122.5:2380", "https://192.168.122.5:2380"
	for _, tc := range []struct {
		from, to *Resolved
		want     string
	}{
		{of(FromDetection, plain), of(FromDerivation, tls), followsURL},
		{of(FromDetection, plain), of(FromEnvFile, tls), atRestart},
		{of(FromDetection, plain), of(FromDetection, "http://10.20.0.5:2380"), atRestart},
	} {
		if got := tc.from.Diff(tc.to); len(got) != 1 || got[0].Effect != tc.want {
			t.Errorf("%+v: want %q", got, tc.want)
		}
	}
	empty := of(FromDetection, plain)
	empty.HasData = false
	if got := empty.Diff(of(FromDetection, tls)); len(got) != 1 || got[0].Effect != atRestart {
		t.Errorf("without data: %+v", got)
	}
}

func TestValue(t *testing.T) {
	r := &Resolved{Settings: []Setting{{Name: "name", Value: "a", Origin: FromFlag}, {Name: "listen-peer-urls", Value: "http://a:1,http://b:2", Origin: FromDetection}}}
	if r.Value("name") != "a" || r.Value("data-dir") != "" || r.Derived("name") || r.Derived("data-dir") || !r.Derived("listen-peer-urls") {
		t.Errorf("%+v", r)
	}
	if got := List(r.Value("listen-peer-urls")); !slices.Equal(got, []string{"http://a:1", "http://b:2"}) || len(List("")) != 0 {
		t.Errorf("%q", got)
	}
}
