package status

import (
	"strings"
	"testing"
	"time"
)

// A node that still looks for its name is not called etcd.
func TestTextNamesTheNode(t *testing.T) {
	for want, st := range map[string]Status{
		"this node: starting": {State: Starting},
		"etcd-2: joining":     {State: Joining, Values: map[string]string{"name": "etcd-2"}},
		"etcd-3: joining":     {State: Joining, Values: map[string]string{"name": "etcd-2"}, View: View{Name: "etcd-3"}},
	} {
		if got := st.Text(time.Now()); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
