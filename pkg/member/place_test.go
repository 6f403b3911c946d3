package member

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func urls(t *testing.T, list ...string) (all []url.URL) {
	t.Helper()
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *u)
	}
	return all
}

// Where the cluster knows this member, where it listens, which addresses the
// machine has, and what is said of that.
func TestMisplaced(t *testing.T) {
	const five, other = "http://192.168.122.5:2380", "http://10.0.2.15:2380"
	for name, tc := range map[string]struct {
		known, listen []string
		machine       string
		want          string
	}{
		"at its place":            {[]string{five}, []string{five}, "192.168.122.5", ""},
		"one of two URLs will do": {[]string{other, five}, []string{five}, "192.168.122.5", ""},
		"on all addresses":        {[]string{five}, []string{"http://0.0.0.0:2380"}, "192.168.122.5", ""},
		"on all of IPv6":          {[]string{"http://[2001:db8::5]:2380"}, []string{"http://[::]:2380"}, "2001:db8::5", ""},
		"by name":                 {[]string{"http://etcd-1:2380"}, []string{other}, "10.0.2.15", ""},
		"an address to listen on": {[]string{"http://0.0.0.0:2380"}, []string{other}, "10.0.2.15", ""},
		"the address has changed": {[]string{five}, []string{other}, "10.0.2.15",
			"the cluster knows this member at " + five + ", but no interface of this machine has 192.168.122.5"},
		"another address on all": {[]string{five}, []string{"http://0.0.0.0:2380"}, "10.0.2.15",
			"the cluster knows this member at " + five + ", but no interface of this machine has 192.168.122.5"},
		"the wrong interface": {[]string{five}, []string{other}, "192.168.122.5 10.0.2.15",
			"the cluster knows this member at " + five + ", but it listens for peers on " + other + " only"},
		"another port": {[]string{five}, []string{"http://192.168.122.5:2390"}, "192.168.122.5",
			"the cluster knows this member at " + five + ", but it listens for peers on http://192.168.122.5:2390 only"},
	} {
		m := newTestMember()
		m.Config.ListenPeerUrls = urls(t, tc.listen...)
		o := twoMembers()
		o.member(o.self).PeerURLs = tc.known
		here := func(a netip.Addr) bool { return slices.Contains(strings.Fields(tc.machine), a.String()) }
		if got := m.misplaced(o, here); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	for name, tc := range map[string]struct {
		known, announced, listen string
		machine                  string
		want                     string
	}{
		"another address":           {five, other, other, "10.0.2.15", other},
		"on all addresses":          {five, other, "http://0.0.0.0:2380", "10.0.2.15", other},
		"the list is old":           {five, five, other, "10.0.2.15", other},
		"the list is old, anywhere": {five, five, "http://0.0.0.0:2380", "10.0.2.15", ""},
		"by name":                   {five, "http://etcd-1:2380", "http://0.0.0.0:2380", "10.0.2.15", ""},
	} {
		m := newTestMember()
		m.Config.AdvertisePeerUrls, m.Config.ListenPeerUrls = urls(t, tc.announced), urls(t, tc.listen)
		o := twoMembers()
		o.member(o.self).PeerURLs = []string{tc.known}
		if got := m.place(o, func(a netip.Addr) bool { return a.String() == tc.machine }); got != tc.want {
			t.Errorf("%s: it is at %q, want %q", name, got, tc.want)
		}
	}
	m := newTestMember()
	o := twoMembers()
	o.members = o.members[:1] // the only member: nobody looks for it
	o.self = o.members[0].ID
	if got := m.misplaced(o, func(netip.Addr) bool { return false }); got != "" {
		t.Errorf("alone: %q", got)
	}
	if !onThisMachine(netip.MustParseAddr("127.0.0.1")) || onThisMachine(netip.MustParseAddr("192.0.2.1")) {
		t.Error("this machine has 127.0.0.1, and not 192.0.2.1")
	}
}

// Without a leader: what the cluster has been before decides what helps.
func TestWhyNoQuorum(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*member, *observation)
		want    string
	}{
		"a first start":         {func(*member, *observation) {}, failure.IDNoQuorumYet},
		"a leader was there":    {func(m *member, _ *observation) { m.led = true }, failure.IDNoQuorum},
		"it has served before":  {func(m *member, _ *observation) { m.Guard.Pin = &identity.Pin{} }, failure.IDNoQuorum},
		"so says a damaged pin": {func(m *member, _ *observation) { m.Guard.Damage = "damaged" }, failure.IDNoQuorum},
		"data without a pin":    {func(_ *member, o *observation) { o.term = 2 }, failure.IDNoQuorum},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTestMember()
			o := twoMembers()
			o.leader = 0
			now := time.Now()
			m.view(o, now)
			tc.prepare(m, o)
			if got := m.view(o, now.Add(leaderless)).Conditions; len(got) != 1 || got[0].ID != tc.want {
				t.Errorf("%+v, want %s", got, tc.want)
			}
		})
	}
}

// Behind an address translation that works there is nothing to doubt, nor while
// the others are down.
func TestDoubt(t *testing.T) {
	begun := time.Now()
	for name, tc := range map[string]struct {
		derived, reached, answering bool
		want                        []bool // at the first look, and when nobody has come for long
	}{
		"derived, the others come":     {true, true, true, []bool{false, false}},
		"derived, nobody is there":     {true, false, false, []bool{true, true}},
		"set, the others come":         {false, true, true, []bool{false, false}},
		"set, nobody is there":         {false, false, false, []bool{false, false}},
		"set, they do not get through": {false, false, true, []bool{false, true}},
	} {
		var d doubt
		for i, want := range tc.want {
			if got := d.rises(begun.Add(time.Duration(i)*unreached), tc.derived, tc.reached, tc.answering); got != want {
				t.Errorf("%s, look %d: %v", name, i+1, got)
			}
		}
	}
}

// What was known at the start is shown until the cluster has this member at an
// address of this machine.
func TestAdmittedElsewhere(t *testing.T) {
	const there, own = "http://192.0.2.5:2380", "http://192.0.2.6:2380"
	noticed := "no interface of this machine has 192.0.2.5"
	for _, tc := range []struct{ listed, admitted, noticed, want string }{
		{there, "swapped", noticed, "swapped"},
		{there, "", noticed, noticed},
		{own, "swapped", "", ""},
		{own, "swapped", noticed, noticed},
	} {
		m := newTestMember()
		m.Config.AdvertisePeerUrls, m.admittedAs = urls(t, own), tc.admitted
		m.elsewhere.Store(&status.Condition{ID: failure.IDMisplaced, Text: tc.noticed})
		o := twoMembers()
		o.member(o.self).PeerURLs = []string{tc.listed}
		got := ""
		for _, c := range m.conditions(o, time.Now()) {
			if c.ID == failure.IDMisplaced {
				got += c.Text
			}
		}
		if got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}
