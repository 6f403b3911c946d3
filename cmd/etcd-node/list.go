package main

import (
	"context"
	"maps"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/roster"
)

// listAgainstData says where a configuration's list of members differs from
// what the data has. A daemon that runs has its database locked and is asked;
// where neither can be read, as for a user who is not root, nothing is said.
func listAgainstData(ctx context.Context, w world, r *settings.Resolved) (notices []string) {
	if !r.HasData || r.LoopbackOnly {
		return nil
	}
	members, auth := storedMembers(ctx, w, r)
	node := roster.New(r.Name, r.Value("initial-cluster"), urlsOf(r, "initial-advertise-peer-urls"), urlsOf(r, "listen-peer-urls"))
	node.NameSource = r.SetAt("name")
	node.Derived = r.Derived("listen-peer-urls")
	node.TLS = r.Value("peer-cert-file") != "" || r.Value("peer-auto-tls") == "true"
	node.Values = config.Values(r)
	if u, ok := theUnit(w); ok {
		maps.Copy(node.Values, u.Values())
	}
	if auth {
		node.Values["auth"] = "true"
	}
	node.Listens = node.ListenAs(members) // as it would after a start
	for _, d := range node.Compare(members) {
		notices = append(notices, d.Text)
	}
	return notices
}

// storedMembers are the members of the cluster by this node's data. auth: it
// asks every client for a user, as far as that is known.
func storedMembers(ctx context.Context, w world, r *settings.Resolved) (members []roster.Member, auth bool) {
	data, err := datadir.Inspect(r.DataDir, r.WALDir)
	if err == nil && !data.DB.Locked {
		return roster.Stored(data.DB.Members, data.WAL.MemberID), false
	}
	st, _, err := search(ctx, w, r.DataDir).ask(ctx)
	if err != nil || st.Values["data-dir"] != r.DataDir {
		return nil, false // another daemon's data says nothing here
	}
	for _, m := range st.View.Members {
		x := roster.Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, Self: m.Self, Reached: m.Connected}
		if m.Unstarted {
			x.Name = "" // the name shown is the list's
		}
		members = append(members, x)
	}
	return members, st.View.Auth
}

func urlsOf(r *settings.Resolved, name string) []string {
	return settings.List(r.Value(name))
}
