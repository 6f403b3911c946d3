package failure

// entriesVersion: data of another version than the etcd in this binary.
var entriesVersion = []Entry{
	{
		ID: IDTooOld, Class: Permanent, Exit: ExitData,
		Sign:  "the raft log (WAL) holds a request of the v2 API, as etcd 3.5 and older write one at each start",
		Cause: "the data dir was written by an etcd that is too old for this one to read",
		Means: "etcd 3.7 reads data of 3.6 and 3.7. Older data has to go through each version in between: 3.4 → 3.5 → 3.6 → 3.7. Debian 12 ships 3.4.",
		Acts:  "It looks at the data before it starts etcd, refuses, and changes nothing.",
		Next: []Step{
			{"run the etcd of the old version on this data dir; then bring all members to 3.5, one after the other, then all to 3.6, then all to 3.7; in between, check that all are there and healthy", []string{
				"etcdctl endpoint status --cluster -w table",
				"etcdctl endpoint health --cluster",
			}},
		},
		Never: "Never skip a version, and never go on with one member before all others have reached the same version.",
	},
	{
		ID: IDTooNew, Class: Permanent, Exit: ExitData,
		Texts: []string{"invalid downgrade; server version is lower", "version \"…\" is not supported"},
		Sign:  "the database's storage version is newer than this etcd",
		Cause: "the data dir was written by an etcd that is newer than this one",
		Means: "A newer etcd has run on this data, or serves in this cluster. Going back one minor version is possible, but has to be prepared while the newer version still runs.",
		Acts:  "It refuses, and changes nothing.",
		Next: []Step{
			{"install the newer version again; or, with the newer version running, prepare the way back", []string{
				"etcdctl downgrade validate VERSION", "etcdctl downgrade enable VERSION",
				"etcdctl endpoint status --cluster -w table",
			}},
		},
		Never: "Never edit the version in the database.",
	},
}
