package admission

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// foreigners are peers that have said which cluster is theirs, in so many rounds.
type foreigners struct {
	id            string
	quorum, count int
}

func (f foreigners) Foreign(own string, size, rounds int) string {
	if f.id == own || size/2+1 > f.quorum || f.count < rounds {
		return ""
	}
	return f.id
}

func TestStuck(t *testing.T) {
	alone := Start{ClusterID: "c", Listed: 1, Since: halfBegunAfter + time.Millisecond}
	three := Start{ClusterID: "c", Members: 3, Listed: 3, Begun: true, Since: time.Hour}
	for name, tc := range map[string]struct {
		start Start
		peers foreigners
		want  string
	}{
		"no peers":                        {three, foreigners{}, ""},
		"peers of this cluster":           {three, foreigners{"c", 2, 9}, ""},
		"two of another cluster":          {three, foreigners{"d", 2, strayRounds}, failure.IDForeign},
		"one of another cluster":          {three, foreigners{"d", 1, 9}, ""},
		"too few rounds":                  {three, foreigners{"d", 2, strayRounds - 1}, ""},
		"the list is longer":              {Start{ClusterID: "c", Members: 1, Listed: 5}, foreigners{"d", 2, 9}, ""},
		"the cluster is larger":           {Start{ClusterID: "c", Members: 5, Listed: 1}, foreigners{"d", 2, 9}, ""},
		"alone without an entry":          {alone, foreigners{}, failure.IDHalfBegun},
		"alone, not yet":                  {Start{Listed: 1, Since: halfBegunAfter}, foreigners{}, ""},
		"alone, begun":                    {Start{Listed: 1, Begun: true, Since: time.Hour}, foreigners{}, ""},
		"alone, a member":                 {Start{Listed: 1, Members: 1, Since: time.Hour}, foreigners{}, ""},
		"one of three without an entry":   {Start{Listed: 3, Since: time.Hour}, foreigners{}, ""},
		"without a list of its own (DNS)": {Start{Since: time.Hour}, foreigners{}, ""},
	} {
		f := Stuck(tc.start, tc.peers)
		got := ""
		if f != nil {
			got = f.ID
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		if got == failure.IDForeign && (!strings.Contains(f.Detail, "cluster c") || !strings.Contains(f.Detail, "cluster d")) {
			t.Errorf("%s: %q does not name both clusters", name, f.Detail)
		}
	}
}
