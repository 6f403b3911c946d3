package member

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// A copy serves while the original does: the cluster lists the member at an
// address that is not this machine's, and the same member answers there.
func TestTwin(t *testing.T) {
	const there, own = "http://192.0.2.5:2380", "http://192.0.2.6:2380"
	for what, tc := range map[string]struct {
		listed, answers, here string
		want                  string
	}{
		"it answers there":                 {there, there, "192.0.2.6", "192.0.2.5 already is member 1, at http://192.0.2.5:2380: two processes must never be one member; stop this one"},
		"nobody answers there":             {there, "", "192.0.2.6", ""},
		"the address is this machine's":    {there, there, "192.0.2.5", ""},
		"behind an address translation":    {own, own, "10.0.0.6", ""},
		"another member has taken the URL": {there, own, "192.0.2.6", ""},
	} {
		m := newTestMember()
		m.Config.AdvertisePeerUrls = urls(t, own)
		o := twoMembers()
		o.member(o.self).PeerURLs = []string{tc.listed}
		is := func(_ context.Context, u, cluster string, id uint64) bool {
			return u == tc.answers && cluster == "c" && id == 1
		}
		got := m.twinOf(t.Context(), o, is, func(_ context.Context, host string) bool { return host == tc.here })
		if got != tc.want {
			t.Errorf("%s: %q, want %q", what, got, tc.want)
		}
		m.twin.Store(&got)
		shows := slices.ContainsFunc(m.conditions(o, time.Now()), func(c status.Condition) bool { return c.ID == failure.IDCloned && c.Text == got })
		if shows != (tc.want != "") {
			t.Errorf("%s: the condition is shown: %v", what, shows)
		}
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "localhost": true, "192.0.2.5": false, "no.such.name.invalid": true} {
		if got := isHere(t.Context(), host); got != want {
			t.Errorf("%s is here: %v", host, got)
		}
	}
}
