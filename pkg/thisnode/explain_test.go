package thisnode

import (
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// TestExplainWithoutQuorum: a leader that hears no quorum is not well.
func TestExplainWithoutQuorum(t *testing.T) {
	for _, tc := range []struct {
		view status.View
		want string
	}{
		{status.View{Name: "a", Leader: "a", NoQuorum: true, Members: []status.Member{{Name: "a", Self: true, Connected: true}}}, "this member leads, and hears no quorum\n\n" + failure.IDNoQuorum + ": "},
		{status.View{Name: "a", NoQuorum: true}, "there is no leader\n\n" + failure.IDNoQuorum + ": "},
		{status.View{Name: "a", Leader: "a", Members: []status.Member{{Name: "a", Self: true, Connected: true}}}, "nothing is wrong that etcd-node knows of"},
	} {
		var b strings.Builder
		explanation{&b, nil, map[string]bool{}}.now(status.Status{State: status.Serving, View: tc.view}, true)
		if !strings.Contains(b.String(), tc.want) {
			t.Errorf("no %q in\n%s", tc.want, b.String())
		}
	}
}
