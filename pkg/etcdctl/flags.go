package etcdctl

import (
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// Flags are the arguments with this node's values before them, as flags, each only
// where the operator has set it neither as a flag nor as a variable (ETCDCTL_…):
// etcdctl takes no setting from both.
//
// One endpoint is enough, but for move-leader: that one is sent to the leader. With
// more, defrag would stop all members, and snapshot save would refuse.
func Flags(args []string, env func(name string) string, v failure.Values) []string {
	endpoints := v["client-url"]
	if slices.Contains(args, "move-leader") && v["endpoints"] != "" {
		endpoints += "," + v["endpoints"]
	}
	all := []flag{{"endpoints", endpoints}}
	if v["client-insecure"] == "true" {
		all = append(all, flag{"insecure-skip-tls-verify", "true"}, flag{"insecure-transport", "false"})
	}
	for name, key := range map[string]string{"cacert": "client-ca", "cert": "client-cert", "key": "client-key"} {
		all = append(all, flag{name, v[key]})
	}
	var flags []string
	for _, f := range all {
		if f.known() && !given(args, f.name) && env(f.variable()) == "" {
			flags = append(flags, "--"+f.name+"="+f.value)
		}
	}
	slices.Sort(flags)
	return append(flags, args...)
}

type flag struct{ name, value string }

// known reports whether it is a value, and no word for one that only the operator
// knows.
func (f flag) known() bool {
	return f.value != "" && !slices.Contains([]string{failure.WordCA, failure.WordCert, failure.WordKey}, f.value)
}

// variable is etcdctl's own for a flag.
func (f flag) variable() string {
	return "ETCDCTL_" + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
}

// given reports whether a flag is among the arguments. What follows "--" is a
// command's own, or a key.
func given(args []string, name string) bool {
	for _, a := range args {
		switch {
		case a == "--":
			return false
		case a == "--"+name, strings.HasPrefix(a, "--"+name+"="):
			return true
		}
	}
	return false
}
