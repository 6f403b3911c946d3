package member

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/admission"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
)

// Where the operator has not said it, the member listens as its data says.
func TestFollow(t *testing.T) {
	for what, tc := range map[string]struct {
		derived, unconfigured bool
		members               int
		want                  string
		said                  int // lines of the log
	}{
		"derived":             {derived: true, members: 2, want: "http://10.0.0.1:2380", said: 3},
		"set by the operator": {members: 2, want: "https://10.0.0.1:2380", said: 2},
		"a cluster of one":    {derived: true, members: 1, want: "https://10.0.0.1:2380", said: 2},
		"a first start":       {derived: true, want: "https://10.0.0.1:2380"},
		"nothing configured":  {derived: true, unconfigured: true, members: 2, want: "https://10.0.0.1:2380"},
	} {
		core, lines := zapobserver.New(zapcore.InfoLevel)
		m := newTestMember()
		m.log, m.Guard.Derived, m.Guard.Unconfigured = zap.New(core), tc.derived, tc.unconfigured
		m.Config = embed.NewConfig()
		m.Config.Name, m.Config.InitialCluster = "a", "a=https://10.0.0.1:2380,b=https://10.0.0.2:2380"
		m.Config.ListenPeerUrls = loopback.URLs("https://10.0.0.1:2380")
		m.Config.PeerTLSInfo.CertFile = "x"
		a := admission.Admission{Self: 1, Members: []datadir.Member{
			{ID: 1, Name: "a", PeerURLs: []string{"http://10.0.0.1:2380"}}, {ID: 2, Name: "b", PeerURLs: []string{"http://10.0.0.2:2380"}},
		}[:tc.members]}
		n := m.follow(a)
		if got := urlStrings(m.Config.ListenPeerUrls); !slices.Equal(got, []string{tc.want}) || !tc.unconfigured && !slices.Equal(n.Listens, got) {
			t.Errorf("%s: it listens on %v, and believes %v; want %s", what, got, n.Listens, tc.want)
		}
		if lines.Len() != tc.said {
			t.Errorf("%s: %+v", what, lines.All())
		}
	}
}

// The commands are complete: in the log of the start as far as is known then,
// and in the view with a user where the cluster asks for one.
func TestDifferencesNameCompleteCommands(t *testing.T) {
	core, lines := zapobserver.New(zapcore.InfoLevel)
	m := newTestMember()
	m.log, m.Guard.Values = zap.New(core), map[string]string{"unit": "etcd@x", "client-url": "https://a:2379", "client-ca": "/ca"}
	m.Config.Name, m.Config.InitialCluster = "a", "a=http://a:2381,b=http://b:2380"
	m.node = m.follow(admission.Admission{Self: 1, Members: []datadir.Member{{ID: 1, Name: "a", PeerURLs: []string{"http://a:2380"}}, {ID: 2, Name: "b", PeerURLs: []string{"http://b:2380"}}}})
	const want = "`etcd-node ctl member update 1 --peer-urls=http://a:2381 --endpoints=https://a:2379 --cacert=/ca"
	if lines.FilterMessageSnippet(want+"`").Len() != 1 {
		t.Errorf("%+v", lines.All())
	}
	for auth, user := range map[bool]string{false: "`", true: " --user=root`"} {
		o := twoMembers()
		o.auth, m.hadData = auth, true
		if got := m.differences(o); len(got) != 1 || !strings.Contains(got[0].Text, want+user) {
			t.Errorf("auth %v: %+v", auth, got)
		}
	}
	if m.node.Values["auth"] != "" {
		t.Error("the view has changed what the configuration says")
	}
}

// What is said where there has been no leader for long. A lost quorum leads to a
// snapshot in the end, so it must not be said where nothing is lost.
func TestWhyLeaderless(t *testing.T) {
	for what, tc := range map[string]struct {
		list  string
		never bool // the other member has never started
		want  []string
	}{
		"a lost quorum":               {"a=http://a:2380,b=http://b:2380", false, []string{failure.IDNoQuorum}},
		"other addresses in the list": {"a=http://c:2380,b=http://d:2380", false, []string{failure.IDOtherURLs}},
		"only with another scheme":    {"a=https://a:2380,b=https://b:2380", false, []string{failure.IDOtherURLs, failure.IDNoQuorum}},
		"never started":               {"a=http://a:2380,b=http://b:2380", true, []string{failure.IDNeverStarted}},
		"never started, another URL":  {"a=http://a:2380,b=http://b:2381", true, []string{failure.IDNeverStarted}},
	} {
		m := newTestMember()
		o := twoMembers()
		m.hadData, m.led = true, true
		m.node = roster.New("a", tc.list, nil, []string{"http://a:2380"})
		m.node.Derived, m.node.TLS = true, true
		if tc.never {
			o.members[1].Name = ""
		}
		o.leader = 0
		now := time.Now()
		m.view(o, now)
		var got []string
		for _, c := range m.view(o, now.Add(leaderless)).Conditions {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", what, got, tc.want)
		}
	}
}

// While a first start stores the members of its list one by one, those that are
// not there yet are no difference.
func TestFirstStartIsQuiet(t *testing.T) {
	m := newTestMember()
	o := twoMembers()
	o.ready = false
	m.node = roster.New("a", "a=http://a:2380,b=http://b:2380,c=http://c:2380", nil, nil)
	for _, m.hadData = range []bool{false, true} { // true: it was interrupted
		if got := m.view(o, time.Now()).Conditions; len(got) != 0 {
			t.Errorf("%+v", got)
		}
	}
	o.ready = true
	if got := m.view(o, time.Now()).Conditions; !slices.ContainsFunc(got, func(c status.Condition) bool { return c.ID == failure.IDOtherMembers }) {
		t.Errorf("%+v", got)
	}
}
