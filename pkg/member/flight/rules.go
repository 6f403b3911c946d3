package flight

import (
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"go.etcd.io/etcd/server/v3/etcdserver/txn"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// kind is how a request ends.
type kind int

const (
	// The others are answered by this member, or by etcd at a change of leader.
	_ kind = iota
	// stream: its messages are answered one by one, by other rules of etcd's.
	stream
	// proposal: it is one proposal to raft, which may be lost with the leader.
	proposal
	// transfer hands the leadership over. Proposals that come meanwhile are dropped,
	// so they are held back.
	transfer
)

// rule is one line of the table below.
type rule struct {
	kind kind
	// prompt: it is proposed as soon as it is there, and over when it is applied. So
	// a later one that is answered proves that this one is lost.
	prompt bool
	// changes reports whether this request is a proposal; nil: always.
	changes func(req any) bool
	// repeated reports whether etcd's Go client repeats this request by itself when
	// the code is Unavailable, and would then be told of its own first try as if it
	// were somebody else's.
	repeated func(req any) bool
}

// errLost is what etcd says, in its own time, to a request that was proposed to a
// leader that is gone.
var errLost = rpctypes.ErrGRPCTimeoutDueToLeaderFail

// errLostOnce says the same with a code on which no client repeats the request by
// itself: "the caller should decide at a higher level", says gRPC of it.
var errLostOnce = status.Error(codes.Aborted, status.Convert(errLost).Message())

func (r rule) proposes(req any) bool {
	return r.kind == proposal && (r.changes == nil || r.changes(req))
}

// lost is the answer to a request that is ended.
func (r rule) lost(req any) error {
	if r.repeated != nil && r.repeated(req) {
		return errLostOnce
	}
	return errLost
}

// rules has each method that the server offers. TestEveryMethod fails when etcd
// has one more.
var rules = map[string]rule{
	etcdserverpb.KV_Put_FullMethodName:         {kind: proposal, prompt: true},
	etcdserverpb.KV_DeleteRange_FullMethodName: {kind: proposal, prompt: true},
	etcdserverpb.KV_Txn_FullMethodName: {kind: proposal, prompt: true, changes: func(req any) bool {
		r, ok := req.(*etcdserverpb.TxnRequest)
		return ok && !txn.IsTxnReadonly(r)
	}},
	// A physical compaction is a proposal until it is applied, and then no longer
	// looks at its context.
	etcdserverpb.KV_Compact_FullMethodName: {kind: proposal},
	// At a change of leader etcd itself ends a read, and says so.
	etcdserverpb.KV_Range_FullMethodName:       {},
	etcdserverpb.KV_RangeStream_FullMethodName: {kind: stream},
	etcdserverpb.Watch_Watch_FullMethodName:    {kind: stream},

	etcdserverpb.Lease_LeaseGrant_FullMethodName: {kind: proposal, prompt: true, repeated: func(req any) bool {
		// With an ID of the client's own, the second try would find the first: "lease already exists".
		r, ok := req.(*etcdserverpb.LeaseGrantRequest)
		return ok && r.ID != 0
	}},
	// The second try would be told that there is no such lease.
	etcdserverpb.Lease_LeaseRevoke_FullMethodName: {kind: proposal, prompt: true, repeated: func(any) bool { return true }},
	// These ask the leader over HTTP, and the next one when that fails.
	etcdserverpb.Lease_LeaseKeepAlive_FullMethodName:  {kind: stream},
	etcdserverpb.Lease_LeaseTimeToLive_FullMethodName: {},
	etcdserverpb.Lease_LeaseLeases_FullMethodName:     {},

	etcdserverpb.Cluster_MemberAdd_FullMethodName:    {kind: proposal},
	etcdserverpb.Cluster_MemberRemove_FullMethodName: {kind: proposal},
	etcdserverpb.Cluster_MemberUpdate_FullMethodName: {kind: proposal},
	// A follower proposes nothing: it asks the leader over HTTP, and the next one
	// when that fails.
	etcdserverpb.Cluster_MemberPromote_FullMethodName: {},
	etcdserverpb.Cluster_MemberList_FullMethodName:    {},

	etcdserverpb.Maintenance_Alarm_FullMethodName: {kind: proposal}, // also when it asks
	// Of the others one only reads; and the end of a downgrade, ended here, would be
	// called a success: etcd keeps the error to itself.
	etcdserverpb.Maintenance_Downgrade_FullMethodName: {kind: proposal, changes: func(req any) bool {
		r, ok := req.(*etcdserverpb.DowngradeRequest)
		return ok && r.GetAction() == etcdserverpb.DowngradeRequest_ENABLE
	}},
	etcdserverpb.Maintenance_MoveLeader_FullMethodName: {kind: transfer},
	etcdserverpb.Maintenance_Status_FullMethodName:     {},
	etcdserverpb.Maintenance_Defragment_FullMethodName: {},
	etcdserverpb.Maintenance_Hash_FullMethodName:       {},
	etcdserverpb.Maintenance_HashKV_FullMethodName:     {},
	etcdserverpb.Maintenance_Snapshot_FullMethodName:   {kind: stream},

	// All of them go through raft, also those that only ask.
	etcdserverpb.Auth_AuthEnable_FullMethodName:           {kind: proposal},
	etcdserverpb.Auth_AuthDisable_FullMethodName:          {kind: proposal},
	etcdserverpb.Auth_AuthStatus_FullMethodName:           {kind: proposal},
	etcdserverpb.Auth_Authenticate_FullMethodName:         {kind: proposal},
	etcdserverpb.Auth_UserAdd_FullMethodName:              {kind: proposal},
	etcdserverpb.Auth_UserGet_FullMethodName:              {kind: proposal},
	etcdserverpb.Auth_UserList_FullMethodName:             {kind: proposal},
	etcdserverpb.Auth_UserDelete_FullMethodName:           {kind: proposal},
	etcdserverpb.Auth_UserChangePassword_FullMethodName:   {kind: proposal},
	etcdserverpb.Auth_UserGrantRole_FullMethodName:        {kind: proposal},
	etcdserverpb.Auth_UserRevokeRole_FullMethodName:       {kind: proposal},
	etcdserverpb.Auth_RoleAdd_FullMethodName:              {kind: proposal},
	etcdserverpb.Auth_RoleGet_FullMethodName:              {kind: proposal},
	etcdserverpb.Auth_RoleList_FullMethodName:             {kind: proposal},
	etcdserverpb.Auth_RoleDelete_FullMethodName:           {kind: proposal},
	etcdserverpb.Auth_RoleGrantPermission_FullMethodName:  {kind: proposal},
	etcdserverpb.Auth_RoleRevokePermission_FullMethodName: {kind: proposal},

	// These have a client of their own in the server. Where they are one proposal
	// they are treated as one; who stands in line for a lock, or for an office, may
	// wait for hours.
	v3lockpb.Lock_Unlock_FullMethodName:           {kind: proposal},
	v3lockpb.Lock_Lock_FullMethodName:             {},
	v3electionpb.Election_Proclaim_FullMethodName: {kind: proposal},
	v3electionpb.Election_Resign_FullMethodName:   {kind: proposal},
	v3electionpb.Election_Campaign_FullMethodName: {},
	v3electionpb.Election_Leader_FullMethodName:   {},
	v3electionpb.Election_Observe_FullMethodName:  {kind: stream},

	"/grpc.health.v1.Health/Check": {},
	"/grpc.health.v1.Health/List":  {},
	"/grpc.health.v1.Health/Watch": {kind: stream},
}
