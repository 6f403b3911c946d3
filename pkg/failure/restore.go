package failure

// restored is how a cluster begins again from a snapshot, on all its hosts. say
// tells in which case.
//
// The flags are those without which etcdutl writes a cluster of one on
// localhost. The token is another than before, so that the members and the
// cluster have other IDs: a host that was left out, with its old data, is then
// refused by the others instead of mixing its log with theirs. It is made from
// the ID of the cluster before, because it must be the same on all hosts, and
// another one each time: IDs are made from token and URLs alone. The data that is moved
// aside has a name that no attempt before has taken.
func restored(say string) []Step {
	return []Step{
		{say + "; on every host, move the old data aside (with ETCD_WAL_DIR, also what is there)", []string{
			"systemctl stop etcd",
			"mv -T {data-dir}/member {data-dir}/member.$(date +%s)",
		}},
		{"on every host, restore the same SNAPSHOT; these are the flags for this host (leave hosts that are gone out of --initial-cluster; with ETCD_WAL_DIR, add --wal-dir)", []string{
			"etcdutl snapshot restore SNAPSHOT --data-dir={data-dir}/restored --name={name} --initial-cluster={initial-cluster} --initial-advertise-peer-urls={peer-urls} --initial-cluster-token={new-token}",
			"mv -T {data-dir}/restored/member {data-dir}/member",
			"rmdir {data-dir}/restored",
			"chown -R etcd:etcd {data-dir}",
			"etcd-node forget",
		}},
		{"when that is done on all hosts, start etcd on each of them", []string{"systemctl start etcd"}},
	}
}
