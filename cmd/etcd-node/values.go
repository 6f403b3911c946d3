package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// ownValues are this node's, as far as they can be told now: a daemon that runs
// knows them, and its status is st; else there is what the pin says and what
// can be derived. dataDir is that of a daemon that no unit has started, or "".
func ownValues(ctx context.Context, w world, st status.Status, dataDir string) map[string]string {
	v := map[string]string{}
	take := func(more map[string]string) {
		for k, x := range more {
			v[k] = cmp.Or(v[k], x)
		}
	}
	take(st.Values)
	if u, ok := theUnit(w); ok && dataDir == "" {
		take(u.Values())
	}
	take(map[string]string{"member-id": st.View.MemberID, "cluster-id": st.View.ClusterID})
	if st.View.Auth {
		v["auth"] = "true"
	}
	// The settings may stand on the unit's command line, which is not ours to
	// see: then the pin knows better than what can be derived.
	take(map[string]string{"data-dir": dataDir})
	if pin, ok, _ := pins(homeOf(w)).Load(); ok && (dataDir == "" || same(dataDir, pin.DataDir)) {
		take(map[string]string{"member-id": pin.MemberID, "cluster-id": pin.ClusterID, "name": pin.Name, "data-dir": pin.DataDir})
	}
	in := written(w)
	if dataDir != "" {
		in = config.Input{Environ: append(slices.Clip(w.environ), "ETCD_DATA_DIR="+dataDir), EnvFile: w.environ.Get("ETCD_NODE_ENV_FILE")}
	}
	loaded, err := config.Load(in)
	if err != nil {
		return v
	}
	r, err := loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		return netdetect.Find(ctx, netdetect.System(), req)
	})
	if err == nil {
		take(config.Values(r))
	}
	return v
}
