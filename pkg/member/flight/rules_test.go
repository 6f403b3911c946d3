package flight

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Each method that etcd's server offers has a rule, and there is none for others.
func TestEveryMethod(t *testing.T) {
	left := map[string]rule{}
	for name, r := range rules {
		left[name] = r
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		switch f.Package() {
		case "etcdserverpb", "v3lockpb", "v3electionpb", "grpc.health.v1":
		default:
			return true
		}
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for i := range methods.Len() {
				m := methods.Get(i)
				name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
				r, ok := left[name]
				delete(left, name)
				if streams := m.IsStreamingClient() || m.IsStreamingServer(); !ok || streams != (r.kind == stream) {
					t.Errorf("%s: a rule: %v; a stream: %v", name, ok, streams)
				}
			}
		}
		return true
	})
	for name := range left {
		t.Errorf("etcd has no method %s", name)
	}
	if len(rules) < 50 {
		t.Errorf("only %d rules", len(rules))
	}
}

func TestProposals(t *testing.T) {
	get := &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestRange{RequestRange: &etcdserverpb.RangeRequest{}}}
	put := &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: &etcdserverpb.PutRequest{}}}
	txn := rules[etcdserverpb.KV_Txn_FullMethodName]
	for _, tc := range []struct {
		txn  *etcdserverpb.TxnRequest
		want bool
	}{
		{&etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{get}}, false},
		{&etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{get, put}}, true},
		{&etcdserverpb.TxnRequest{Failure: []*etcdserverpb.RequestOp{put}}, true},
	} {
		if got := txn.proposes(tc.txn); got != tc.want {
			t.Errorf("%v: %v", tc.txn, got)
		}
	}
	downgrade := rules[etcdserverpb.Maintenance_Downgrade_FullMethodName]
	for action, want := range map[etcdserverpb.DowngradeRequest_DowngradeAction]bool{
		etcdserverpb.DowngradeRequest_VALIDATE: false, // it reads
		etcdserverpb.DowngradeRequest_ENABLE:   true,
		etcdserverpb.DowngradeRequest_CANCEL:   false, // etcd would call its end a success
	} {
		if got := downgrade.proposes(&etcdserverpb.DowngradeRequest{Action: action}); got != want {
			t.Errorf("%v: %v", action, got)
		}
	}
	// A follower asks the leader over HTTP, and the next one.
	if rules[etcdserverpb.Cluster_MemberPromote_FullMethodName].proposes(&etcdserverpb.MemberPromoteRequest{}) {
		t.Error("a promotion would be ended")
	}
	if (rule{}).proposes(nil) {
		t.Error("an unknown method counts as a proposal")
	}
}

// The text is etcd's own. Only where a client would repeat the request by itself,
// and be misled by its own first try, the code is another.
func TestAnswer(t *testing.T) {
	grant := rules[etcdserverpb.Lease_LeaseGrant_FullMethodName]
	for want, answers := range map[codes.Code][]error{
		codes.Unavailable: {rules[etcdserverpb.KV_Put_FullMethodName].lost(nil), grant.lost(&etcdserverpb.LeaseGrantRequest{TTL: 1})},
		codes.Aborted:     {rules[etcdserverpb.Lease_LeaseRevoke_FullMethodName].lost(nil), grant.lost(&etcdserverpb.LeaseGrantRequest{ID: 7, TTL: 1})},
	} {
		for _, err := range answers {
			if got := status.Code(err); got != want || !strings.Contains(err.Error(), "possibly due to previous leader failure") {
				t.Errorf("%v, want %v", err, want)
			}
			if rpctypes.Error(err) != rpctypes.ErrTimeoutDueToLeaderFail {
				t.Errorf("etcd's client takes %v for %v", err, rpctypes.Error(err))
			}
		}
	}
}
