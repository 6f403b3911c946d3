package history

import (
	"context"
	"math"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// lossy is a member that loses every write with its leader. It answers no read.
type lossy struct{ clientv3.KV }

func (lossy) Put(context.Context, string, string, ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	return nil, rpctypes.ErrTimeoutDueToLeaderFail
}

func (lossy) Delete(context.Context, string, ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	return nil, rpctypes.ErrTimeoutDueToLeaderFail
}

func (lossy) Get(context.Context, string, ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return nil, context.DeadlineExceeded
}

func (lossy) Txn(context.Context) clientv3.Txn { return lossyTxn{} }

type lossyTxn struct{ clientv3.Txn }

func (t lossyTxn) If(...clientv3.Cmp) clientv3.Txn  { return t }
func (t lossyTxn) Then(...clientv3.Op) clientv3.Txn { return t }
func (t lossyTxn) Else(...clientv3.Op) clientv3.Txn { return t }
func (lossyTxn) Commit() (*clientv3.TxnResponse, error) {
	return nil, rpctypes.ErrTimeoutDueToLeaderFail
}

// A write that was lost with its leader stays open, and its repetition is
// another operation of another client.
func TestLost(t *testing.T) {
	for _, retries := range []bool{false, true} {
		h := &History{groups: map[name]*events{}}
		c := &client{kv: lossy{}, history: h, id: h.number(), retries: retries}
		c.group = h.begin(0)
		h.end(c.group, nil)
		for h.So().Operations < 10 {
			if !c.once() {
				c.id = h.number()
			}
		}
		r := h.So()
		ops := h.groups[c.group].ops
		if r.Lost != 10 || r.Unknown != 10 || len(ops) != 10 {
			t.Fatalf("%+v; want ten lost, all of unknown outcome", r)
		}
		if want := map[bool]int{true: 9}[retries]; r.Repeated != want {
			t.Errorf("%d repeated, want %d", r.Repeated, want)
		}
		seen := map[int]bool{}
		for i, op := range ops {
			if op.Return != math.MaxInt64 {
				t.Error("a lost write ends")
			}
			if seen[op.ClientId] {
				t.Error("a client goes on whose write may still happen")
			}
			seen[op.ClientId] = true
			first := ops[0].Input
			if op.Input == first && op.Input.(call).verb == remove {
				continue // two that delete the same are no repetition: they have no value of their own
			}
			if same := op.Input == first; i > 0 && same != retries {
				t.Errorf("%v after %v", op.Input, ops[0].Input)
			}
		}
	}
}
