package datadir

import "testing"

func TestAloneOnLoopback(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		members []Member
		want    bool
	}{
		{nil, false},
		{[]Member{{Name: "a", PeerURLs: []string{"http://localhost:2380"}}}, true},
		{[]Member{{Name: "a", PeerURLs: []string{"https://127.0.0.1:2380", "http://[::1]:2380"}}}, true},
		{[]Member{{Name: "a", PeerURLs: []string{"http://127.8.8.8"}}}, true},
		{[]Member{{Name: "a", PeerURLs: []string{"http://[::ffff:127.0.0.1]:2380"}}}, true},
		{[]Member{{Name: "a", PeerURLs: []string{"http://localhost:2380", "http://10.0.0.1:2380"}}}, false},
		{[]Member{{Name: "a", PeerURLs: []string{"http://10.0.0.1:2380"}}}, false},
		{[]Member{{Name: "a", PeerURLs: []string{"http://localhost.example.org:2380"}}}, false},
		{[]Member{{Name: "a", PeerURLs: []string{"://"}}}, false},
		{[]Member{{Name: "a"}}, false},
		{[]Member{{Name: "a", PeerURLs: []string{"http://localhost:2380"}}, {Name: "b", PeerURLs: []string{"http://localhost:3380"}}}, false},
	} {
		d := Data{DB: DB{Members: c.members}}
		if m, got := d.AloneOnLoopback(); got != c.want || got && m.Name != "a" {
			t.Errorf("%+v: %v %+v", c.members, got, m)
		}
	}
}

func TestAloneOnLoopbackOfEtcd(t *testing.T) {
	t.Parallel()
	s := start(t, alone(t)).serves(1)
	s.stop()
	if m, ok := inspect(t, s.spec).AloneOnLoopback(); !ok || m.Name != "m1" || m.PeerURLs[0] != "http://"+s.Peer {
		t.Errorf("%v %+v", ok, m)
	}
}

func TestOneOfSeveral(t *testing.T) {
	outside, inside := []string{"http://192.168.122.5:2380"}, []string{"http://127.0.0.1:2380"}
	for what, tc := range map[string]struct {
		members []Member
		want    bool
	}{
		"three":                  {[]Member{{ID: 1, PeerURLs: outside}, {ID: 2}, {ID: 3}}, true},
		"three on loopback":      {[]Member{{ID: 1, PeerURLs: inside}, {ID: 2}, {ID: 3}}, false},
		"another is outside":     {[]Member{{ID: 1, PeerURLs: inside}, {ID: 2, PeerURLs: outside}}, false},
		"one":                    {[]Member{{ID: 1, PeerURLs: outside}}, false},
		"removed, with two left": {[]Member{{ID: 2, PeerURLs: outside}, {ID: 3, PeerURLs: outside}}, false},
	} {
		d := Data{DB: DB{Members: tc.members}, WAL: WAL{MemberID: 1}}
		if _, got := d.OneOfSeveral(); got != tc.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
