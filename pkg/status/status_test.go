package status

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var three = []Member{
	{ID: "1", Name: "etcd-1", Self: true, Connected: true, PeerURLs: []string{"http://192.168.122.5:2380"}},
	{ID: "2", Name: "etcd-2", Connected: true, PeerURLs: []string{"http://192.168.122.6:2380"}},
	{ID: "3", PeerURLs: []string{"http://192.168.122.7:2380"}, Cause: "192.168.122.7: connection refused"},
}

func TestLine(t *testing.T) {
	killed := &End{Cause: "killed by signal 9"}
	for _, tc := range []struct {
		want string
		s    Status
	}{
		{"starting: no usable address on eth0 yet", Status{State: Starting, Reason: "no usable address on eth0 yet"}},
		{"joining: opening the database (826 MiB)", Status{State: Joining, View: View{Progress: "opening the database (826 MiB)"}}},
		{"joining: 1 of 2 members; waiting for http://192.168.122.7:2380 (192.168.122.7: connection refused)", Status{State: Joining, View: View{Members: []Member{three[0], three[2]}}}},
		{"joining: 2 of 3 members; waiting for the election of a leader; missing http://192.168.122.7:2380 (192.168.122.7: connection refused)", Status{State: Joining, View: View{Members: three}}},
		{"joining: 2 of 2 members; waiting for the election of a leader", Status{State: Joining, View: View{Members: three[:2]}}},
		{"joining: 2 of 3 members; leader is etcd-2, publishing this member; missing http://192.168.122.7:2380 (192.168.122.7: connection refused)", Status{State: Joining, View: View{Leader: "etcd-2", Members: three}}},
		{"joining: 2 of 3 members; learner, catching up with leader etcd-2; missing http://192.168.122.7:2380 (192.168.122.7: connection refused)", Status{State: Joining, View: View{Leader: "etcd-2", Learner: true, Members: three}}},
		{"serving: follower of etcd-2, 2 of 2 members", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-2", Members: three[:2]}}},
		{"serving: learner of etcd-2, 2 of 2 members", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-2", Learner: true, Members: three[:2]}}},
		{"serving: follower of etcd-2, 2 of 2 members, 1 of 1 learner", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-2", Members: append(three[:2:2], Member{Learner: true, Connected: true})}}},
		{"serving: follower of etcd-2, 2 of 2 members, 1 of 2 learners; missing etcd-4 (connecting)", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-2", Members: append(three[:2:2], Member{Learner: true, Connected: true}, Member{Name: "etcd-4", Learner: true, Cause: "connecting"})}}},
		{"serving: leader, 1 of 1 member", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-1", Members: three[:1]}}},
		{"serving: leader that hears no quorum (writes get an error), 1 of 2 members; missing etcd-2 (silent)", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-1", NoQuorum: true, Members: []Member{three[0], {Name: "etcd-2", Cause: "silent"}}}}},
		{"serving: leader that hears no quorum (writes get an error), fewer than a quorum of 2 members", Status{State: Serving, View: View{Name: "etcd-1", Leader: "etcd-1", NoQuorum: true, Members: three[:2]}}},
		{"serving: no leader (writes wait for a quorum), fewer than a quorum of 2 members, 1 of 1 learner", Status{State: Serving, View: View{Name: "etcd-1", NoQuorum: true, Members: append(three[:2:2], Member{Learner: true, Connected: true})}}},
		{"serving: no leader (writes wait for a quorum), 2 of 3 members; missing http://192.168.122.7:2380 (192.168.122.7: connection refused); alarm NOSPACE", Status{State: Serving, View: View{Members: three, Alarms: []string{"NOSPACE"}}}},
		{"serving: leader, 1 of 1 member, restarted 1 time, last: killed by signal 9", Status{State: Serving, Restarts: 1, LastEnd: killed, View: View{Name: "a", Leader: "a", Members: three[:1]}}},
		{"restarting: reload", Status{State: Restarting, Reason: "reload"}},
		{"serving: leader, 1 of 1 member; reload: it is the turn of b, for 42s at most",
			Status{State: Serving, Errand: "reload: it is the turn of b, for 42s at most", View: View{Name: "a", Leader: "a", Members: []Member{{Name: "a", Self: true, Connected: true}}}}},
		{"serving: leader, 1 of 1 member; nothing heard of the member for 5 s (this is what it said last)", Status{State: Serving, Silent: 5, View: View{Name: "a", Leader: "a", Members: three[:1]}}},
		{"backoff: killed by signal 9; next attempt in 100ms, restarted 2 times", Status{State: Backoff, Restarts: 2, LastEnd: killed, Reason: "killed by signal 9; next attempt in 100ms"}},
		{"failed: two; lines", Status{State: Failed, Restarts: 2, LastEnd: killed, Reason: "two\nlines\n"}},
	} {
		if got := tc.s.Line(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

func TestLineIsBounded(t *testing.T) {
	for _, cause := range []string{strings.Repeat("ü", 5000), strings.Repeat("x\xff", 5000)} {
		line := Status{State: Failed, Reason: cause}.Line()
		if len(line) > maxLine || !utf8.ValidString(line) {
			t.Errorf("%d bytes, valid: %v", len(line), utf8.ValidString(line))
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tc := range []struct {
		text  string
		limit int
		want  string
	}{
		{"as it is", 8, "as it is"},
		{"cut after a word", 14, "cut after …"},
		{"cut after a word", 15, "cut after a …"},
		{"a word-that-does-not-end", 15, "a word-that-…"},
		{"\n\ntwo\r\nlines\n", 99, "two; lines"},
		{"a\x00b\tc\x1b[31m\u009b", 99, "a?b?c?[31m?"},
		{"x\xffy", 99, "x\uFFFDy"},
		{"üüü", 5, "ü…"}, // two would be 7 bytes, half a rune 6
		{"漢字漢字", 6, "漢…"},
		{"漢字", 2, ""},
		{"", 0, ""},
	} {
		if got := OneLine(tc.text, tc.limit); got != tc.want {
			t.Errorf("%q in %d bytes: %q, want %q", tc.text, tc.limit, got, tc.want)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	for _, text := range []string{"", "two\nlines", "a\x00b", "\xff\xfe", strings.Repeat("ü", 99), strings.Repeat("a b", 99), strings.Repeat("\n", 99), "漢\xe6\xbc"} {
		for limit := range 12 {
			f.Add(text, limit)
		}
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 {
			t.Skip()
		}
		got := OneLine(text, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q in %d bytes: %q", text, limit, got)
		}
	})
}

func TestText(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := Status{
		State: Serving, Since: now.Add(-3 * time.Minute), PID: 60, MemberPID: 68, Restarts: 1,
		LastEnd: &End{Time: now.Add(-3 * time.Minute), Cause: "the disk under the data dir is full", Next: []string{"df -h /var/lib/etcd"}},
		View:    View{Name: "etcd-1", ClusterID: "c", MemberID: "1", Leader: "etcd-2", Members: three, Alarms: []string{"NOSPACE"}},
		Notices: []string{"a notice"},
	}
	want := `etcd-1: serving: follower of etcd-2, 2 of 3 members; missing http://192.168.122.7:2380 (192.168.122.7: connection refused); alarm NOSPACE, restarted 1 time, last: the disk under the data dir is full
  since     2026-11-22 11:57:00 (3 min ago)
  cluster   c, this member 1
  members   etcd-1 1                http://192.168.122.5:2380  this node
            etcd-2 2                http://192.168.122.6:2380  leader, connected
                   3                http://192.168.122.7:2380  not connected
                   192.168.122.7: connection refused
  alarm     NOSPACE
  process   68, supervised by 60
  last end  3 min ago: the disk under the data dir is full
  next      df -h /var/lib/etcd
  notice    a notice
`
	if got := s.Text(now); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// No row of a member is wider than 80 columns, of one as of nine, and each begins
// with its name or below its ID.
func TestRowsOfMembers(t *testing.T) {
	for _, n := range []int{1, 9} {
		s := Status{State: Serving, Since: time.Now(), View: View{Name: "etcd-1", Leader: "etcd-2"}}
		for i := range n {
			s.View.Members = append(s.View.Members, Member{
				Name: fmt.Sprintf("etcd-%d", i+1), ID: "f0a299acd6bfba2c", PeerURLs: []string{fmt.Sprintf("https://192.168.122.%d:2380", i+125)},
				Self: i == 0, Connected: true, Version: "3.7.3", RoundTrip: 0.00042,
			})
		}
		want := `  members   etcd-1 f0a299acd6bfba2c https://192.168.122.125:2380  this node
`
		if n > 2 {
			s.View.Members[2].Version = "3.6.5"
			s.View.Members[4] = Member{Name: "etcd-5", ID: "819b3892d1c6b6d8", PeerURLs: []string{"https://192.168.122.129:2380"}, Cause: "192.168.122.129: no answer in 1s; is it up, and TCP 2380 open in its firewall?"}
			s.View.Members[6].Learner = true
			s.View.Members[8].PeerURLs = []string{"https://[2001:db8:0:1:5054:ff:fe12:3456]:2380"}
			want = `  members   etcd-1 f0a299acd6bfba2c https://192.168.122.125:2380
                   this node
            etcd-2 f0a299acd6bfba2c https://192.168.122.126:2380
                   leader, 0.4 ms
            etcd-3 f0a299acd6bfba2c https://192.168.122.127:2380
                   0.4 ms, etcd 3.6.5
            etcd-4 f0a299acd6bfba2c https://192.168.122.128:2380
                   0.4 ms
            etcd-5 819b3892d1c6b6d8 https://192.168.122.129:2380
                   not connected
                   192.168.122.129: no answer in 1s; is it up, and TCP 2380 open
                   in its firewall?
            etcd-6 f0a299acd6bfba2c https://192.168.122.130:2380
                   0.4 ms
            etcd-7 f0a299acd6bfba2c https://192.168.122.131:2380
                   learner, 0.4 ms
                   a voter by: etcd-node ctl member promote f0a299acd6bfba2c
            etcd-8 f0a299acd6bfba2c https://192.168.122.132:2380
                   0.4 ms
            etcd-9 f0a299acd6bfba2c https://[2001:db8:0:1:5054:ff:fe12:3456]:2380
                   0.4 ms
`
		}
		_, got, _ := strings.Cut(s.Text(time.Now()), "(just now)\n")
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// What a certificate has left, and where the node's name comes from.
func TestTextOfTheNode(t *testing.T) {
	now := time.Now()
	s := Status{State: Serving, Found: "name from x; address from eth0", Certificates: []Certificate{
		{"/a.crt", []string{"cert-file", "peer-cert-file"}, now.Add(364*24*time.Hour + time.Minute)},
		{"/d.crt", []string{"peer-cert-file"}, now.Add(29*24*time.Hour + time.Minute)},
		{"/b.crt", []string{"client-cert-file"}, now.Add(30 * time.Hour)},
		{"/c.crt", []string{"trusted-ca-file"}, now.Add(-time.Hour)},
	}}
	want := `
  expires   in 364 days             /a.crt (cert-file, peer-cert-file)
            in 29 days: renew soon  /d.crt (peer-cert-file)
            in 30 h: renew NOW      /b.crt (client-cert-file)
            EXPIRED                 /c.crt (trusted-ca-file)
  found     name from x
            address from eth0
`
	if got := s.Text(now); !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
	s.View.Space = Space{Available: 70 << 30, Total: 100 << 30, Reserve: 192 << 20}
	if got := s.Text(now); !strings.Contains(got, "\n  space     70 GiB free of 100 GiB, 192 MiB held in reserve\n") {
		t.Errorf("%s", got)
	}
}

// TestTextShowsElectionsOff: that nothing replaces a lost leader is said, and what a
// start has asked for all the same is, too.
func TestTextShowsElectionsOff(t *testing.T) {
	v := View{ElectionsOff: "ETCD_NODE_FAILOVER=off"}
	if got := (Status{State: Serving, View: v}).Text(time.Now()); !strings.Contains(got, "\n  elections off (ETCD_NODE_FAILOVER=off)\n") {
		t.Errorf("%s", got)
	}
	if got := (Elections{Campaigns: 2, Deaths: 1, Silent: 2}).String(); got != "2 asked for without waiting: 1 dead leader, 2 silent hosts" {
		t.Error(got)
	}
	v.Elections.Campaigns = 1
	if got := (Status{State: Serving, View: v}).Text(time.Now()); !strings.Contains(got, "\n  elections off (ETCD_NODE_FAILOVER=off)\n            1 asked for without waiting\n") {
		t.Errorf("%s", got)
	}
}

// TestTextNamesItsUnit: its commands are for this node: its unit, its ports, its
// TLS files.
func TestTextNamesItsUnit(t *testing.T) {
	s := Status{State: Serving, Conditions: []Condition{{ID: "disk-low", Text: "little is free"}},
		Values: map[string]string{"unit": "etcd@events", "client-url": "https://127.0.0.1:12379", "client-ca": "/etc/etcd/my ca.pem"},
		View:   View{Auth: true, Members: []Member{three[0], {ID: "2", Name: "etcd-2", Learner: true, Connected: true}}}}
	got := s.Text(time.Now())
	for _, want := range []string{
		"explained ETCD_NODE_UNIT=etcd@events etcd-node explain disk-low\n",
		"a voter by: etcd-node ctl member promote 2 --endpoints=https://127.0.0.1:12379 --cacert='/etc/etcd/my ca.pem' --user=root\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if s.Values["auth"] != "" {
		t.Error("the values are changed")
	}
}

func TestAgo(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "59 s ago", 61 * time.Second: "1 min ago", 3 * time.Hour: "3 h ago", 72 * time.Hour: "3 days ago", -time.Hour: "just now",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// Equal must look at every field, or a change would never be told.
func TestEqualSeesEveryField(t *testing.T) {
	for _, v := range []any{View{}, Member{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			a, b := View{Members: []Member{{}}}, View{Members: []Member{{}}}
			target := reflect.ValueOf(&b).Elem()
			if typ == reflect.TypeFor[Member]() {
				target = reflect.ValueOf(&b.Members[0]).Elem()
			}
			switch f := target.Field(i); f.Interface().(type) {
			case string:
				f.SetString("x")
			case bool:
				f.SetBool(true)
			case int:
				f.SetInt(1)
			case Raft:
				f.Field(0).SetUint(1)
			case float64:
				f.SetFloat(1)
			case Database, Disk, Space:
				f.Field(0).SetInt(1)
			case []string:
				f.Set(reflect.ValueOf([]string{"x"}))
			case Elections, Requests:
				f.Field(0).SetInt(1)
			case []Condition:
				f.Set(reflect.ValueOf([]Condition{{}}))
			case []Member:
				f.Set(reflect.ValueOf([]Member{{}, {}}))
			default:
				t.Fatalf("%s.%s: the test does not know its type", typ.Name(), typ.Field(i).Name)
			}
			if a.Equal(b) {
				t.Errorf("Equal does not see %s.%s", typ.Name(), typ.Field(i).Name)
			}
		}
	}
}

func TestJSONIsStable(t *testing.T) {
	raw, err := json.Marshal(Status{Format: 1, State: Serving})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"format":1`, `"state":"serving"`, `"member":{`, `"ready":false`, `"restarts":0`} {
		if !strings.Contains(string(raw), key) {
			t.Errorf("%s lacks %s", raw, key)
		}
	}
}

func TestAllConnected(t *testing.T) {
	for _, tc := range []struct {
		members []Member
		want    bool
	}{
		{nil, false},
		{three[:2], true},
		{three, false},
		{append(three[:2:2], Member{Learner: true}), true},
	} {
		if got := (View{Members: tc.members}).AllConnected(); got != tc.want {
			t.Errorf("%+v: %v", tc.members, got)
		}
	}
}
