package supervisor

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// How a reload ended is what an alert looks at.
func TestOutcome(t *testing.T) {
	var s Supervisor
	for _, tc := range []struct {
		err  error
		want string
	}{
		{nil, "done"},
		{fmt.Errorf("reload: %w", &Refused{}), "refused"},
		{fmt.Errorf("reload: %w", &settings.Invalid{}), "invalid"},
		{errors.New("it did not come up"), "failed"},
		{context.DeadlineExceeded, "failed"},
		{fmt.Errorf("taken back: %w", context.Canceled), ""},
	} {
		if got := outcome(tc.err); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.err, got, tc.want)
		}
		before := s.st.Counters.Reloads
		s.onOutcome(outcome(tc.err))
		if before != nil && before[tc.want] == s.st.Counters.Reloads[tc.want] && tc.want != "" {
			t.Errorf("%v is not counted, or in a map that others have", tc.err)
		}
	}
	if got, want := fmt.Sprint(s.st.Counters), fmt.Sprint(status.Counters{Reloads: map[string]int{"done": 1, "refused": 1, "invalid": 1, "failed": 2}}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
