package check

import (
	"errors"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Where members differ, and who is not well.
func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct {
		change      func(c *clientv3.StatusResponse)
		failed      error
		check       string
		level       Level
		text, first string // first: of the next step
	}{
		"well":             {func(*clientv3.StatusResponse) {}, nil, "member c", OK, "etcd 3.7.3", ""},
		"a patch apart":    {func(c *clientv3.StatusResponse) { c.Version = "3.7.2" }, nil, "member c", OK, "etcd 3.7.2", ""},
		"a minor apart":    {func(c *clientv3.StatusResponse) { c.Version = "3.6.1" }, nil, "versions", Warning, "c 3.6.1", "finish the upgrade"},
		"another leader":   {func(c *clientv3.StatusResponse) { c.Leader = 2 }, nil, "leader", Problem, "c: leader 2", "ask again"},
		"no leader":        {func(c *clientv3.StatusResponse) { c.Leader = 0 }, nil, "member c", Problem, "no leader", "etcd-node explain"},
		"an alarm":         {func(c *clientv3.StatusResponse) { c.Errors = []string{"alarm:CORRUPT"} }, nil, "member c", Problem, "alarm:CORRUPT", "etcd-node ctl alarm list"},
		"nearly full":      {func(c *clientv3.StatusResponse) { c.DbSize = 85 }, nil, "member c", Warning, "85 % of its quota", "compact"},
		"full":             {func(c *clientv3.StatusResponse) { c.DbSize = 97 }, nil, "member c", Problem, "97 % of its quota", "compact"},
		"behind":           {func(c *clientv3.StatusResponse) { c.RaftAppliedIndex = 5000 - behind - 1 }, nil, "member c", Warning, "1001 entries behind", "is its disk slow"},
		"nearly in step":   {func(c *clientv3.StatusResponse) { c.RaftAppliedIndex = 5000 - behind }, nil, "member c", OK, "etcd 3.7.3", ""},
		"it never answers": {func(*clientv3.StatusResponse) {}, errors.New("connection refused"), "member c", Problem, "connection refused", "systemctl status"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []member
			for i, called := range []string{"a", "b", "c"} {
				s := clientv3.StatusResponse(etcdserverpb.StatusResponse{Version: "3.7.3", DbSize: 10, DbSizeQuota: 100, Leader: 1, RaftIndex: 5000, RaftAppliedIndex: 5000})
				all = append(all, member{name: called, id: uint64(i + 1), says: &s})
			}
			tc.change(all[2].says)
			all[2].failed = tc.failed
			r := find(t, compare(all), tc.check)
			if r.Level != tc.level || !strings.Contains(r.Text, tc.text) || !strings.HasPrefix(r.Next, tc.first) {
				t.Errorf("%+v", r)
			}
		})
	}
}
