package failure

// halted is a command on files that no daemon may have open. It stops the unit
// first, and does nothing where that fails: between the moment at which it was
// printed and the one at which it is pasted, the node may have gone on by itself.
func halted(command string) string { return "systemctl stop etcd && " + command }

// aside stops this node and moves its data out of the way, under a name that no
// earlier attempt has taken. It succeeds too where there is nothing to move, as on
// a new disk. then are the commands after it.
func aside(say string, then ...string) Step {
	return Step{say, append([]string{
		halted("if test -e {data-dir}/member; then mv -T {data-dir}/member {data-dir}/member.$(date +%s); fi"),
	}, then...)}
}

// restored is how a cluster begins again from a snapshot, on all its hosts. say
// tells in which case.
//
// Without these flags etcdutl would write a cluster of one on localhost. The token
// is a new one, so that the members and the cluster get new IDs: the others then
// refuse a host that was left out, with its old data, instead of mixing its log
// with theirs. The token is made from the old cluster's ID, because it must be the
// same on all hosts and a different one each time: IDs are made only from the
// token and the URLs.
func restored(say string) []Step {
	return []Step{
		aside(say + "; on every host, move the old data aside (with ETCD_WAL_DIR, also what is there)"),
		{"on every host, restore the same SNAPSHOT; these are the flags for this host (leave hosts that are gone out of --initial-cluster; with ETCD_WAL_DIR, add --wal-dir)", []string{
			"etcdutl snapshot restore SNAPSHOT --data-dir={data-dir}/restored --name={name} --initial-cluster={initial-cluster} --initial-advertise-peer-urls={peer-urls} --initial-cluster-token={new-token}",
			halted("mv -T {data-dir}/restored/member {data-dir}/member"),
			"rmdir {data-dir}/restored",
			"chown -R etcd:etcd {data-dir}",
			"etcd-node forget",
		}},
		{"when that is done on all hosts, start etcd on each of them", []string{"systemctl start etcd"}},
	}
}
