package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

const (
	ofHTTP  = "etcd-1=http://192.168.122.5:2380,etcd-2=http://192.168.122.6:2380,etcd-3=http://192.168.122.7:2380"
	ofHTTPS = "etcd-1=https://192.168.122.5:2380,etcd-2=https://192.168.122.6:2380,etcd-3=https://192.168.122.7:2380"
	ofNames = "etcd-1=http://etcd-1:2380,etcd-2=http://etcd-2.lab.example:2380,etcd-3=http://192.168.122.7:2380"
)

// three are the members of ofHTTP, of which the first is this one, changed by
// edits "NAME=URLS", or "NAME=" for one that is not there.
func three(edits ...string) (members []Member) {
	for i, entry := range strings.Split(ofHTTP, ",") {
		name, u, _ := strings.Cut(entry, "=")
		members = append(members, Member{ID: fmt.Sprint("a", i+1), Name: name, PeerURLs: []string{u}, Self: i == 0})
	}
	for _, e := range edits {
		name, urls, _ := strings.Cut(e, "=")
		i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
		switch {
		case urls == "":
			members = slices.Delete(members, i, i+1)
		case i < 0:
			members = append(members, Member{ID: fmt.Sprint("a", len(members)+1), Name: strings.TrimPrefix(name, "unstarted"), PeerURLs: strings.Split(urls, ",")})
		default:
			members[i].PeerURLs = strings.Split(urls, ",")
		}
	}
	return members
}

func reached(members []Member) []Member {
	for i := range members {
		members[i].Reached = !members[i].Self
	}
	return members
}

func TestCompare(t *testing.T) {
	onlyFirst := []string{"etcd-2=", "etcd-3="}
	moved := strings.NewReplacer("192.168.122.", "10.20.0.").Replace(ofHTTP)
	for _, tc := range []struct {
		what    string
		list    string
		name    string // etcd-1 unless set
		listens string // where the list has this member, by derivation, unless set
		set     bool   // Listens are the operator's own
		tls     bool
		members []Member
		want    []string // with "idle: " or "apart: "
	}{
		{what: "as in the data", list: ofHTTP, members: three()},
		{what: "nothing known", list: ofHTTP},
		{what: "removed", list: ofHTTP, members: three("etcd-1=")},
		{what: "etcd's own default", list: "etcd-1=http://localhost:2380", members: three()},
		{what: "the same in another order", list: "etcd-1=http://a:1,etcd-1=http://b:2,etcd-2=http://c:1",
			members: three("etcd-1=http://b:2,http://a:1", "etcd-2=http://c:1", "etcd-3=")},
		{what: "names for addresses, and without the domain", list: ofNames, members: three("etcd-2=http://etcd-2:2380")},
		{what: "other names of members", list: strings.ReplaceAll(ofHTTP, "etcd-", "node-"), name: "node-1", members: three(), want: []string{
			"this member was called etcd-1 in the cluster; it is now node-1, as the list says",
		}},

		{what: "report 10: https, data of http", list: ofHTTPS, tls: true, listens: "http://192.168.122.5:2380", members: three(), want: []string{
			"the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: the data counts, and it listens without TLS; once all members run with their certificates, first `etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380`, then `systemctl restart etcd`",
			"the data knows etcd-2 under http://192.168.122.6:2380, the list says https://192.168.122.6:2380: the data counts",
			"the data knows etcd-3 under http://192.168.122.7:2380, the list says https://192.168.122.7:2380: the data counts",
		}},
		{what: "the first was updated, and not restarted", list: ofHTTPS, tls: true, listens: "http://192.168.122.5:2380", members: reached(three("etcd-1=https://192.168.122.5:2380")), want: []string{
			"the other members dial https://192.168.122.5:2380, but this one listens there without TLS until it is restarted: `systemctl restart etcd`",
			"idle: the data knows etcd-2 under http://192.168.122.6:2380, the list says https://192.168.122.6:2380: the data counts, and it answers there; correct the list",
			"idle: the data knows etcd-3 under http://192.168.122.7:2380, the list says https://192.168.122.7:2380: the data counts, and it answers there; correct the list",
		}},
		{what: "the first is done", list: ofHTTPS, tls: true, members: reached(three("etcd-1=https://192.168.122.5:2380", "etcd-3=")), want: []string{
			"idle: the data knows etcd-2 under http://192.168.122.6:2380, the list says https://192.168.122.6:2380: the data counts, and it answers there; correct the list",
			"the list names etcd-3, the data does not: `etcd-node ctl member add etcd-3 --learner --peer-urls=https://192.168.122.7:2380`, start it, promote it when the status says so; or correct the list",
		}},
		{what: "https, by hand", list: ofHTTPS, tls: true, set: true, listens: "https://0.0.0.0:2380", members: three("etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380"), want: []string{
			"apart: the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: the others dial it without TLS, but ETCD_LISTEN_PEER_URLS has https alone; first `etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380`",
		}},
		{what: "http, by hand, for a list of https", list: ofHTTPS, tls: true, set: true, listens: "http://0.0.0.0:2380", members: three("etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380"), want: []string{
			"the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: the data counts, and it listens without TLS; once all members run with their certificates, first add https to ETCD_LISTEN_PEER_URLS (in place of http on the same port), then `etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380`, then `systemctl restart etcd`",
		}},
		{what: "http and https, by hand", list: ofHTTPS, tls: true, set: true, listens: "http://192.168.122.5:2380,https://192.168.122.5:2381", members: three("etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380"), want: []string{
			"the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: the data counts, and it listens without TLS; once all members run with their certificates, first `etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380`, then `systemctl restart etcd`",
		}},
		{what: "added to a cluster of one that listens as its list of https says", list: "etcd-1=https://192.168.122.5:2380,etcd-2=https://192.168.122.6:2380", tls: true, listens: "https://192.168.122.5:2380", members: three("etcd-2=", "etcd-3=", "unstarted=https://192.168.122.6:2380"), want: []string{
			"apart: the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: the others dial it without TLS, and it listens with TLS alone until it is restarted: `systemctl restart etcd`",
		}},
		{what: "https everywhere in the data, no certificates", list: ofHTTP, members: three("etcd-1=https://192.168.122.5:2380", "etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380"), want: []string{
			"apart: the data knows this member under https://192.168.122.5:2380, the list says http://192.168.122.5:2380: the others are to dial it with TLS, for which it has no certificate: give it its own (ETCD_PEER_CERT_FILE, ETCD_PEER_KEY_FILE, ETCD_PEER_TRUSTED_CA_FILE) and the list of https, and restart it; if no member has any, do so on all machines, then restart all",
			"the data knows etcd-2 under https://192.168.122.6:2380, the list says http://192.168.122.6:2380: the data counts",
			"the data knows etcd-3 under https://192.168.122.7:2380, the list says http://192.168.122.7:2380: the data counts",
		}},
		{what: "updated before there are certificates", list: ofHTTP, members: three("etcd-1=https://192.168.122.5:2380"), want: []string{
			"apart: the data knows this member under https://192.168.122.5:2380, the list says http://192.168.122.5:2380: the others are to dial it with TLS, for which it has no certificate; if they have theirs, give it its own and the list of https, else take it back: `etcd-node ctl member update a1 --peer-urls=http://192.168.122.5:2380`",
		}},
		{what: "an old list of http, data of https", list: ofHTTP, tls: true, listens: "https://192.168.122.5:2380", members: three("etcd-1=https://192.168.122.5:2380"), want: []string{
			"the data knows this member under https://192.168.122.5:2380, the list says http://192.168.122.5:2380: the data counts; first `etcd-node ctl member update a1 --peer-urls=http://192.168.122.5:2380`",
		}},
		{what: "TLS ends before this member", list: ofHTTPS, set: true, listens: "http://127.0.0.1:2380",
			members: three("etcd-1=https://192.168.122.5:2380", "etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380")},

		{what: "report 7: all addresses changed", list: moved, members: three(), want: []string{
			"apart: the data knows this member under http://192.168.122.5:2380, the list says http://10.20.0.5:2380: the data counts; first `etcd-node ctl member update a1 --peer-urls=http://10.20.0.5:2380`",
			"apart: the data knows etcd-2 under http://192.168.122.6:2380, the list says http://10.20.0.6:2380: the data counts",
			"apart: the data knows etcd-3 under http://192.168.122.7:2380, the list says http://10.20.0.7:2380: the data counts",
		}},
		{what: "the list is old for this member, or mistyped", list: ofHTTP, listens: "http://192.168.122.9:2380", members: three("etcd-1=http://192.168.122.9:2380"), want: []string{
			"the data knows this member under http://192.168.122.9:2380, the list says http://192.168.122.5:2380: the data counts, and it listens there; correct the list, or, if it is to move there, first `etcd-node ctl member update a1 --peer-urls=http://192.168.122.5:2380`",
		}},
		{what: "the list is old for another", list: ofHTTP, members: reached(three("etcd-3=http://192.168.122.9:2380")), want: []string{
			"idle: the data knows etcd-3 under http://192.168.122.9:2380, the list says http://192.168.122.7:2380: the data counts, and it answers there; correct the list",
		}},
		{what: "another does not answer at its old address", list: ofHTTP, members: three("etcd-3=http://192.168.122.9:2380"), want: []string{
			"apart: the data knows etcd-3 under http://192.168.122.9:2380, the list says http://192.168.122.7:2380: the data counts; correct the list, or, if etcd-3 has moved, see its own status",
		}},

		{what: "another has been at the wrong address since the beginning", list: ofHTTP, members: func() []Member { m := three("etcd-3=http://192.168.122.77:2380"); m[2].Absent = true; return m }(), want: []string{
			"the cluster has a member etcd-3 (a3) at http://192.168.122.77:2380 that has never started, the list says http://192.168.122.7:2380: `etcd-node ctl member update a3 --peer-urls=http://192.168.122.7:2380`; or, if the list is wrong, correct it",
		}},

		{what: "another name with data", list: ofHTTP, name: "etcd-9", listens: "http://192.168.122.5:2380", members: three(), want: []string{
			"the list names this member etcd-1, its own name says etcd-9: set ETCD_NAME=etcd-1, or correct the list",
		}},
		{what: "the same, published", list: ofHTTP, name: "etcd-9", listens: "http://192.168.122.5:2380", members: func() []Member { m := three(); m[0].Name = "etcd-9"; return m }(), want: []string{
			"the list names this member etcd-1, its own name says etcd-9: set ETCD_NAME=etcd-1, or correct the list",
		}},
		{what: "the same, and names for addresses", list: ofNames, name: "etcd-9", listens: "http://192.168.122.5:2380", members: three(), want: nil},

		{what: "report 1: three in the list, one in the data", list: ofHTTP, members: three(onlyFirst...), want: []string{
			"the list names etcd-2 and etcd-3, the data only this member: `etcd-node ctl member add etcd-2 --learner --peer-urls=http://192.168.122.6:2380`, start it, promote it when the status says so, then the next; or correct the list",
		}},
		{what: "one has grown", list: ofHTTP, members: three("etcd-4=http://192.168.122.8:2380", "unstarted=http://192.168.122.9:2380"), want: []string{
			"idle: the data has member a5 (http://192.168.122.9:2380), which has never started, beside those of the list: the data counts; add it to the list",
			"idle: the data has etcd-4 (http://192.168.122.8:2380) beside those of the list: the data counts; add it to the list",
		}},
		{what: "added as listed, not started", list: ofHTTP, members: three("etcd-3=", "unstarted=http://192.168.122.7:2380")},
		{what: "report 11: added under another port", list: ofHTTP, members: three("etcd-3=", "etcd-2=", "unstarted=http://192.168.122.6:2379"), want: []string{
			"a member was added as http://192.168.122.6:2379 and has never started, the list says http://192.168.122.6:2380 for etcd-2: start it under exactly the URL with which it was added, or `etcd-node ctl member update a2 --peer-urls=http://192.168.122.6:2380`",
			"the list names etcd-3, the data does not: `etcd-node ctl member add etcd-3 --learner --peer-urls=http://192.168.122.7:2380`, start it, promote it when the status says so; or correct the list",
		}},

		{what: "a cluster of one", list: "etcd-1=https://192.168.122.5:2380", tls: true, members: three(onlyFirst...), want: []string{
			"the data knows this member under http://192.168.122.5:2380, the list says https://192.168.122.5:2380: before another member is added, `etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380`",
		}},
		{what: "a cluster of one on loopback", list: "etcd-1=http://127.0.0.1:2480", members: three(append(onlyFirst, "etcd-1=http://localhost:2380")...)},
		{what: "what has to be quoted", list: "etcd-1=http://192.168.122.5:2380,x;y=http://u:p@192.168.122.6:2380", members: three(onlyFirst...), want: []string{
			"the list names x;y, the data only this member: `etcd-node ctl member add 'x;y' --learner --peer-urls='http://(redacted)@192.168.122.6:2380'`, start it, promote it when the status says so; or correct the list",
		}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			name := tc.name
			if name == "" {
				name = "etcd-1"
			}
			n := New(name, tc.list, nil, strings.Split(tc.listens, ","))
			if tc.listens == "" {
				n.Listens = n.Own
			}
			n.Derived, n.TLS = !tc.set, tc.tls
			n.Lives = nobody(n)
			var got []string
			for _, d := range n.Compare(tc.members) {
				text := d.Text
				if d.Idle {
					text = "idle: " + text
				}
				if d.Apart {
					text = "apart: " + text
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// Which steps of the entry are of use: those of the other direction would take
// the change back.
func TestCase(t *testing.T) {
	secure := three("etcd-1=https://192.168.122.5:2380", "etcd-2=https://192.168.122.6:2380", "etcd-3=https://192.168.122.7:2380")
	for _, tc := range []struct {
		what, list, listens string
		tls                 bool
		members             []Member
		want                string
	}{
		{"to TLS", ofHTTPS, "http://192.168.122.5:2380", true, three(), failure.CaseToTLS},
		{"the old file, without certificates", ofHTTP, "http://192.168.122.5:2380", false, secure, failure.CaseFromTLS},
		{"an old list, with certificates", ofHTTP, "https://192.168.122.5:2380", true, secure, failure.CaseFromTLS},
		{"updated too early", ofHTTP, "http://192.168.122.5:2380", false, three("etcd-1=https://192.168.122.5:2380"), failure.CaseEarly},
		{"updated, not restarted", ofHTTPS, "http://192.168.122.5:2380", true, secure, failure.CaseRestart},
		{"another address", strings.ReplaceAll(ofHTTP, ".5:", ".9:"), "http://192.168.122.9:2380", false, three(), failure.CaseMoved},
		{"another member's", strings.ReplaceAll(ofHTTP, ".6:", ".9:"), "http://192.168.122.5:2380", false, three(), failure.CaseOther},
	} {
		n := New("etcd-1", tc.list, nil, []string{tc.listens})
		n.Derived, n.TLS = true, tc.tls
		all := Short(n.Compare(tc.members))
		if len(all) != 1 || all[0].ID != failure.IDOtherURLs || all[0].Case != tc.want {
			t.Errorf("%s: %+v, want %s", tc.what, all, tc.want)
		}
	}
}

// What is printed works where it is pasted: past TLS, with a user, and for this
// unit. Names and URLs of the list are no placeholders.
func TestCommandsAreComplete(t *testing.T) {
	n := New("etcd-1", ofHTTPS+",{name}=https://192.168.122.8:2380", nil, []string{"http://192.168.122.5:2380"})
	n.Derived, n.TLS = true, true
	n.Values = failure.Values{
		"name": "x", "unit": "etcd@events", "client-url": "https://192.168.122.5:2379", "client-ca": "/tls/ca.crt", "client-cert": "/tls/a b.crt", "client-key": "/tls/key", "auth": "true",
	}
	const flags = " --endpoints=https://192.168.122.5:2379 --cacert=/tls/ca.crt --cert='/tls/a b.crt' --key=/tls/key --user=root`"
	n.Lives = nobody(n)
	all := n.Compare(three())
	for i, want := range []string{
		"`etcd-node ctl member update a1 --peer-urls=https://192.168.122.5:2380" + flags + ", then `systemctl restart etcd@events`",
		"`etcd-node ctl member add '{name}' --learner --peer-urls=https://192.168.122.8:2380" + flags,
	} {
		if !slices.ContainsFunc(all, func(d Difference) bool { return strings.Contains(d.Text, want) }) {
			t.Errorf("%d: no %s in %+v", i, want, all)
		}
	}
	n.Listens = []string{"https://192.168.122.5:2380"}
	if all := n.Compare(three()); !strings.HasSuffix(all[0].Text, "`systemctl restart etcd@events`") {
		t.Error(all[0].Text)
	}
}

// Under discovery there is no list, and only this member's own URLs are said.
func TestDiscovery(t *testing.T) {
	n := New("etcd-1", "", []string{"http://10.20.0.5:2380"}, []string{"http://10.20.0.5:2380"})
	if got := n.Compare(three()); len(got) != 1 || !strings.HasPrefix(got[0].Text, "the data knows this member under http://192.168.122.5:2380, the list says http://10.20.0.5:2380") {
		t.Errorf("%+v", got)
	}
	n = New("etcd-1", "", []string{"http://localhost:2380"}, []string{"http://localhost:2380"})
	if got := n.Compare(three()); got != nil {
		t.Errorf("etcd's default: %+v", got)
	}
}

func TestNameSource(t *testing.T) {
	n := New("etcd-9", ofHTTP, nil, nil)
	n.NameSource = "ETCD_NAME (/etc/default/etcd:4)"
	got := n.Compare(three())
	if len(got) != 1 || got[0].Text != "the list names this member etcd-1, ETCD_NAME (/etc/default/etcd:4) says etcd-9: remove or correct ETCD_NAME (/etc/default/etcd:4), or correct the list" || len(n.Missing(three())) != 0 {
		t.Errorf("%+v, missing %v", got, n.Missing(three()))
	}
}

func TestShort(t *testing.T) {
	n := New("etcd-1", strings.ReplaceAll(ofHTTP, "192.168.122.", "10.20.0.")+",etcd-4=http://10.20.0.8:2380", nil, []string{"http://10.20.0.5:2380"})
	n.Derived = true
	short := Short(n.Compare(three("etcd-5=http://192.168.122.9:2380")))
	if len(short) != 2 || !short[0].Apart || !strings.HasSuffix(short[0].Text, "--peer-urls=http://10.20.0.5:2380`; the same of etcd-2 and etcd-3") ||
		!strings.HasPrefix(short[1].Text, "the list names etcd-4") {
		t.Errorf("%+v", short)
	}
	if Short(nil) != nil {
		t.Error("something of nothing")
	}
}

func TestListenAs(t *testing.T) {
	const plain, tls = "http://192.168.122.5:2380", "https://192.168.122.5:2380"
	for _, tc := range []struct {
		what             string
		listens, dialed  string
		set, none, alone bool // by hand; no certificate; a cluster of one
		want             string
	}{
		{"as before", plain, plain, false, false, false, plain},
		{"https in the list, http in the data", tls, plain, false, false, false, plain},
		{"after the update", tls, tls, false, false, false, tls},
		{"an old list of http", plain, tls, false, false, false, tls},
		{"an old list, no certificate", plain, tls, false, true, false, plain},
		{"by hand", tls, plain, true, false, false, tls},
		{"a cluster of one", tls, plain, false, false, true, tls},
		{"another port in the data", "https://192.168.122.5:2381", plain, false, false, false, plain},
		{"another address in the data", "https://10.20.0.5:2380", plain, false, false, false, "http://10.20.0.5:2380"},
		{"a name in the data", tls, "http://etcd-1:2380", false, false, false, plain},
		{"two addresses", "https://10.0.0.1:2380,https://10.0.0.2:2380", "http://10.0.0.1:2380,https://10.0.0.2:2381", false, false, false, "http://10.0.0.1:2380,https://10.0.0.2:2381"},
		{"it cannot be told", tls, "http://a:2380,https://b:2380", false, false, false, tls},
		{"IPv6", "https://[fd00::1]:2380", "http://[fd00::1]:2380", false, false, false, "http://[fd00::1]:2380"},
		{"two ports of one host", "http://h:2380,http://h:2381", "http://h:2380,http://h:2381", false, false, false, "http://h:2380,http://h:2381"},
		{"one of them with TLS", "http://h:2380,https://h:2381", "http://h:2380,https://h:2381", false, false, false, "http://h:2380,https://h:2381"},
		{"dialed with and without TLS", "https://h:2380", "http://h:2381,https://h:2380", false, false, false, "https://h:2380"},
		{"both become https in the list", "https://h:2380,https://h:2381", "http://h:2381,http://h:2380", false, false, false, "http://h:2380,http://h:2381"},
		{"one of two moves", "http://h:2380,https://h:2381", "http://h:2380,http://h:2382", false, false, false, "http://h:2380,http://h:2382"},
		{"more than are dialed", "https://h:2380,https://h:2381", "http://h:2380", false, false, false, "http://h:2380,https://h:2381"},
		{"two of two move", "https://h:2380,https://h:2381", "http://h:2382,http://h:2383", false, false, false, "https://h:2380,https://h:2381"},
		{"two addresses, a name in the data", "https://10.0.0.1:2380,https://10.0.0.2:2380", "http://etcd-1:2380", false, false, false, "http://10.0.0.1:2380,http://10.0.0.2:2380"},
		{"a socket", "unix://a", plain, false, false, false, "unix://a"},
		{"a socket in the data", tls, "unix://a", false, false, false, tls},
	} {
		n := Node{Listens: strings.Split(tc.listens, ","), Derived: !tc.set, TLS: !tc.none}
		members := three("etcd-1=" + tc.dialed)
		if tc.alone {
			members = members[:1]
		}
		if got := strings.Join(n.ListenAs(members), ","); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.what, got, tc.want)
		}
	}
	if got := (Node{Listens: []string{tls}, Derived: true}).ListenAs(nil); len(got) != 1 || got[0] != tls {
		t.Errorf("without data: %v", got)
	}
}

func TestStored(t *testing.T) {
	got := Stored([]datadir.Member{{ID: 0xa1, Name: "x", PeerURLs: []string{"http://a:1"}}, {ID: 0xa2}}, 0xa1)
	if len(got) != 2 || got[0].ID != "a1" || !got[0].Self || got[1].Self || got[0].PeerURLs[0] != "http://a:1" {
		t.Errorf("%+v", got)
	}
}

// The commands are for this node's unit.
func TestUnit(t *testing.T) {
	n := New("etcd-1", "etcd-1=https://192.168.122.5:2380", nil, []string{"http://192.168.122.5:2380"})
	n.Derived, n.TLS, n.Values = true, true, map[string]string{"unit": "etcd@a"}
	all := n.Compare([]Member{{ID: "a1", Name: "etcd-1", PeerURLs: []string{"https://192.168.122.5:2380"}, Self: true}, {ID: "a2", Name: "etcd-2"}})
	if len(all) == 0 || !strings.Contains(all[0].Text, "`systemctl restart etcd@a`") {
		t.Errorf("%+v", all)
	}
}
