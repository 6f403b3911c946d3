package config

import (
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// loadSnippet takes the variables of the shell snippet over: ETCD_PEER,
// ETCD_TOKEN and the numbered pairs.
func (l *Loaded) loadSnippet(v values, variables map[string]settings.Setting) {
	l.peer, l.peerSource = v.peer, variables["ETCD_PEER"].Source
	if l.peer.detect {
		l.commands = append(l.commands, l.peerSource)
		switch wish := l.peer.iface; {
		case l.node.Interface == "":
			l.node.Interface = wish
		case wish != "" && wish != l.node.Interface:
			l.problem(l.peerSource, fmt.Sprintf("names the interface %s, and ETCD_NODE_INTERFACE names %s", wish, l.node.Interface), "remove one of the two")
		}
	}
	if len(l.commands) > 0 {
		l.notice("%s: a command, which systemd does not run; etcd-node finds the address and the short host name by itself", join(l.commands))
	}
	if s := variables["ETCD_TOKEN"]; v.token != "" {
		s.Name = "initial-cluster-token"
		why := ""
		if s.Value != l.get(s.Name) {
			why = "another token"
		}
		if l.yields(s.Name, s.Source, why) {
			l.set[s.Name] = []settings.Setting{s}
		}
	}
	if pairs := l.loadPairs(variables); len(pairs) > 0 {
		const name = "initial-cluster"
		where := pairs[0].name.Name + " … " + pairs[len(pairs)-1].ip.Name + strings.TrimPrefix(pairs[0].name.Source, pairs[0].name.Name)
		list, wrong := parseCluster(l.get(name))
		why := differs(pairs, list)
		if len(wrong) > 0 {
			why = "" // one problem is enough
		}
		if l.yields(name, where, why) {
			l.set[name] = []settings.Setting{{Name: name, Value: clusterOf(pairs, l.scheme(peerTLS)),
				Origin: settings.FromDerivation, Source: "from " + where}}
		}
	}
}

// yields settles what the snippet says, at where, with etcd's own setting: the
// snippet counts where that is not set; a flag wins over it; a variable must
// say the same. why says what is different, "" if nothing is.
func (l *Loaded) yields(name, where, why string) (counts bool) {
	other := l.set[name]
	switch {
	case len(other) == 0:
		return true
	case why == "":
	case other[0].Origin == settings.FromFlag:
		l.notice("--%s is given, so %s does not count", name, where)
	default:
		l.problem(where, fmt.Sprintf("contradicts %s: %s", other[0].Source, why), "remove one of the two")
	}
	return false
}

// loadCluster takes the cluster list apart, wherever it comes from.
func (l *Loaded) loadCluster() {
	list, wrong := parseCluster(l.get("initial-cluster"))
	for _, p := range wrong {
		l.problem(l.source("initial-cluster"), p.What, p.Hint)
	}
	if len(wrong) > 0 {
		delete(l.set, "initial-cluster")
	}
	l.cluster = list
}
