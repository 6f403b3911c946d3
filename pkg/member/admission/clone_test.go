package admission

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

func TestCopied(t *testing.T) {
	moved := datadir.Member{ID: 3, Name: "c", PeerURLs: []string{"http://192.0.2.3:2380", "http://192.0.2.4:2380"}}
	other := datadir.Member{ID: 1, PeerURLs: []string{"http://192.0.2.1:2380"}}
	const at = "http://192.0.2.3:2380"
	patient := pipe.Guard{Patient: true}
	for name, tc := range map[string]struct {
		data  datadir.Data
		guard pipe.Guard
		asker fakeAsker
		took  time.Duration
		want  string // the failure's detail
	}{
		"nobody answers as this member":    {served(moved, other), patient, fakeAsker{}, 0, ""},
		"its address answers":              {served(moved, other), patient, fakeAsker{is: at}, settleLimit, "192.0.2.3 already is member 3; its data is here too"},
		"its other address answers":        {served(moved, other), patient, fakeAsker{is: "http://192.0.2.4:2380"}, settleLimit, "192.0.2.4 already is member 3; its data is here too"},
		"another member's address answers": {served(moved, other), patient, fakeAsker{is: "http://192.0.2.1:2380"}, 0, ""},
		"the data does not list it":        {served(), patient, fakeAsker{is: at}, 0, ""},
		"it is being stopped":              {served(moved, other), patient, fakeAsker{is: at, until: time.Second}, time.Second, ""},
		"of a cluster of one":              {served(moved), patient, fakeAsker{is: at}, 0, ""},
		"without a service manager":        {served(moved, other), pipe.Guard{}, fakeAsker{is: at}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := checker(Node{Guard: tc.guard}, tc.asker)
				begun := time.Now()
				f := c.copied(t.Context(), tc.data)
				got := ""
				if f != nil {
					if got = f.Detail; idOf(f) != failure.IDCloned || f.Values["member-id"] != "3" {
						t.Errorf("%+v", f)
					}
				}
				if took := time.Since(begun); got != tc.want || took != tc.took {
					t.Errorf("%q after %s, want %q after %s", got, took, tc.want, tc.took)
				}
			})
		})
	}
}

// An empty data dir, and a pin whose member runs elsewhere.
func TestClonedPin(t *testing.T) {
	for is, want := range map[string]string{ownURL: failure.IDCloned, "http://127.0.0.9:2380": failure.IDWiped} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, _ := checker(Node{New: true, Guard: pin("c", "3"), DataDir: dir}, fakeAsker{peers: []fakePeer{lists(whole), lists(whole)}, is: is})
			if _, f := c.Admit(t.Context()); idOf(f) != want {
				t.Errorf("%v, want %s", f, want)
			}
		})
	}
}
