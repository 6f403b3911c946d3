package recorder

import (
	"strings"

	"go.uber.org/zap/zapcore"
)

// These tables list the parts of a log line that cannot hold keys, values, user
// names or secrets. They were read off etcd 3.7's source; TestEtcdSource reads
// it again and fails on an etcd for which they are wrong.
//
//   - Messages are constants in etcd. raft formats numbers and member IDs into
//     its own. bbolt and gRPC format keys and statuses into theirs.
//   - Fields of numbers, booleans, durations and times have no room for data.
//   - Texts are another matter: "apply request took too long" has the request
//     in one and, like every line about a request, may have it in its error.
//     So texts and errors are kept only from packages that hold no request:
//     disk, network, membership, start and stop.

const etcd = "go.etcd.io/etcd/"

// dataFree reports whether a line's message is free of data.
func dataFree(e zapcore.Entry) bool {
	pkg := packageOf(e.Caller.Function)
	switch {
	case strings.HasSuffix(e.LoggerName, "bbolt"): // its caller may seem to be etcd
		return false
	case strings.Contains(e.Caller.Function, "wsProxyZapLogger"): // passes on another library's
		return false
	case pkg == etcd+"server/v3/etcdserver/api/v3discovery": // logs errors as messages
		return false
	}
	return strings.HasPrefix(pkg, etcd) || strings.HasPrefix(pkg, "go.etcd.io/raft/") || own(pkg)
}

// requestFree reports whether a package logs without a request in its hands.
func requestFree(pkg string) bool {
	if rest, ok := strings.CutPrefix(pkg, etcd); ok {
		return requestFreePackages[rest]
	}
	return own(pkg)
}

// packageOf is the import path in a function's full name.
func packageOf(function string) string {
	function, _, _ = strings.Cut(function, "[") // type arguments have paths of their own
	slash := strings.LastIndexByte(function, '/')
	pkg, _, _ := strings.Cut(function[slash+1:], ".")
	return function[:slash+1] + pkg
}

// own is this program itself.
func own(pkg string) bool { return strings.HasPrefix(pkg, "github.com/etcd-node/etcd-node/") }

// Not among them: auth, lease, mvcc, v3rpc, apply and txn, which handle
// requests; client/v3, whose errors are gRPC's; v3discovery, whose paths hold
// the token.
var requestFreePackages = set(`
	client/pkg/v3/fileutil
	client/pkg/v3/transport
	pkg/v3/netutil
	server/v3/embed
	server/v3/etcdserver
	server/v3/etcdserver/api/etcdhttp
	server/v3/etcdserver/api/membership
	server/v3/etcdserver/api/rafthttp
	server/v3/etcdserver/api/snap
	server/v3/etcdserver/api/v3compactor
	server/v3/etcdserver/read
	server/v3/etcdserver/version
	server/v3/storage
	server/v3/storage/backend
	server/v3/storage/schema
	server/v3/storage/wal
	server/v3/verify
`)

// plainFields are those that say what, where and between whom: IDs, addresses,
// paths of files, kinds, versions, sizes.
var plainFields = set(`
	failure
	addr address advertise-peer-urls alarm bucket-name cert-file client-url cluster-id cluster-version
	current-server-version data-dir determined-cluster-version dir-path downgrade-target file
	follower-peer-id from host key-file leader-id lease-id local-member-cluster-id local-member-id
	local-member-server-minimum-cluster-version local-member-server-version local-member-version
	max-request-size maximum-cluster-version-supported member-id member-id-from-config-change-entry
	member-id-from-message message-type minimal-server-version minimum-cluster-version-supported
	mismatch-member-id name parent-dir-path path peer-id peer-ids peer-url quota-maximum-size quota-name
	quota-size reason recommended-request-size remote-addr remote-member-cluster-version
	remote-member-id remote-member-version remote-peer-cluster-id remote-peer-endpoint
	remote-peer-endpoints remote-peer-id remote-peer-id-from remote-peer-id-stream-handler
	remote-peer-name remote-peer-server-minimum-cluster-version remote-peer-server-name
	remote-peer-server-version remote-snapshot-sender-id removed-member-id removed-remote-peer-id
	rename-path requested-member-remove requested-member-remove-id round-tripper-name size
	snapshot-file-path source-path storage-version stream-reader-type stream-type stream-writer-type
	target-storage-version target-version tmp-dir-path to type unknown-remote-peer-id updated-peer-id
	url urls wal-dir
`)

// set is the set of the words in a text.
func set(words string) map[string]bool {
	s := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		s[w] = true
	}
	return s
}

// IsPlain reports whether a field of a log line, by its name, can hold no data.
func IsPlain(field string) bool { return plainFields[field] }

// IsRequestFree reports whether a line of the log is of a package that logs without a
// request in its hands, by its caller ("etcdserver/server.go:301").
func IsRequestFree(caller string) bool {
	dir, _, _ := strings.Cut(caller, "/")
	for pkg := range requestFreePackages {
		if pkg[strings.LastIndexByte(pkg, '/')+1:] == dir {
			return true
		}
	}
	return ownDirs[dir]
}

// ownDirs are the directories of this program's packages that log.
var ownDirs = set("cmd etcd-node member supervisor disk election flight peers silence admission identity recorder tlsfiles control announcer")
