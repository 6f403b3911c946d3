package admission

import (
	"testing"
	"testing/synctest"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

func TestCopied(t *testing.T) {
	moved := datadir.Member{ID: 3, Name: "c", PeerURLs: []string{"http://192.0.2.3:2380", "http://192.0.2.4:2380"}}
	for name, tc := range map[string]struct {
		data datadir.Data
		is   string
		want string // the failure's detail
	}{
		"nobody answers as this member":    {served(moved), "", ""},
		"its address answers":              {served(moved), "http://192.0.2.3:2380", "192.0.2.3 already is member 3; its data is here too"},
		"its other address answers":        {served(moved), "http://192.0.2.4:2380", "192.0.2.4 already is member 3; its data is here too"},
		"another member's address answers": {served(moved, datadir.Member{ID: 1, PeerURLs: []string{"http://192.0.2.1:2380"}}), "http://192.0.2.1:2380", ""},
		"the data does not list it":        {served(), "http://192.0.2.3:2380", ""},
	} {
		c, _ := checker(Node{}, fakeAsker{is: tc.is})
		f := c.copied(t.Context(), tc.data)
		if got := ""; f != nil {
			if got = f.Detail; idOf(f) != failure.IDCloned || f.Values["member-id"] != "3" {
				t.Errorf("%s: %+v", name, f)
			}
			if got != tc.want {
				t.Errorf("%s: %q, want %q", name, got, tc.want)
			}
		} else if tc.want != "" {
			t.Errorf("%s: not refused", name)
		}
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
