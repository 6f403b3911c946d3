package main

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// values are this node's own, for the next steps of a failure.
func values(r *config.Resolved) map[string]string {
	v := map[string]string{"name": r.Name, "data-dir": r.DataDir}
	set := map[string]string{}
	for _, s := range r.Settings {
		set[s.Name] = s.Value
	}
	v["peer-urls"] = set["initial-advertise-peer-urls"]
	v["initial-cluster"] = set["initial-cluster"]
	v["endpoints"] = otherClients(r.Name, set["initial-cluster"], set["advertise-client-urls"])
	if own, _, _ := strings.Cut(set["advertise-client-urls"], ","); own != "" {
		v["own-endpoint"] = "--endpoints=" + own
		v["client-tls"] = clientTLS(own, set, preflight.System())
	}
	return v
}

// otherClients is where the other members of the initial cluster most likely
// serve clients: at their peer URLs' hosts, with the scheme and port that this
// node uses itself. "" where that cannot be told.
func otherClients(name, initialCluster, advertised string) string {
	own, err := url.Parse(strings.Split(advertised, ",")[0])
	members, invalid := types.NewURLsMap(initialCluster)
	if err != nil || invalid != nil || own.Port() == "" {
		return ""
	}
	var found []string
	for n, urls := range members {
		if n != name && urls[0].Hostname() != "" {
			found = append(found, own.Scheme+"://"+net.JoinHostPort(urls[0].Hostname(), own.Port()))
		}
	}
	slices.Sort(found)
	return strings.Join(found, ",")
}

// clientTLS are the flags with which etcdctl reaches a member at the URL: with
// the files that this member has itself, as far as they do. An etcd that has a
// trusted CA asks every client for a certificate, also without
// --client-cert-auth.
func clientTLS(endpoint string, set map[string]string, host *preflight.Host) string {
	if !strings.HasPrefix(endpoint, "https://") {
		return ""
	}
	on := func(name string) bool { yes, _ := strconv.ParseBool(set[name]); return yes }
	if set["cert-file"] == "" && on("auto-tls") { // signed by nobody
		return "--insecure-transport=false --insecure-skip-tls-verify"
	}
	ca := set["trusted-ca-file"]
	flags := "--cacert=" + cmp.Or(ca, failure.WordCA)
	if ca == "" && !on("client-cert-auth") {
		return flags
	}
	cert, key := set["client-cert-file"], set["client-key-file"]
	if cert == "" {
		cert, key = set["cert-file"], set["key-file"]
	}
	if cert == "" || host.ServerOnly(cert) {
		cert, key = failure.WordCert, failure.WordKey
	}
	return flags + " --cert=" + cert + " --key=" + key
}

// ownValues are this node's, as far as they can be told now: a daemon that runs
// knows them, and its status is st; else there is what the pin says and what
// can be derived.
func ownValues(ctx context.Context, w world, st status.Status) map[string]string {
	v := map[string]string{}
	take := func(more map[string]string) {
		for k, x := range more {
			v[k] = cmp.Or(v[k], x)
		}
	}
	take(st.Values)
	take(map[string]string{"member-id": st.View.MemberID, "cluster-id": st.View.ClusterID})
	// The settings may stand on the unit's command line, which is not ours to
	// see: then the pin knows better than what can be derived.
	if pin, ok, err := pinStore(w).Load(); err == nil && ok {
		take(map[string]string{"member-id": pin.MemberID, "cluster-id": pin.ClusterID, "name": pin.Name, "data-dir": pin.DataDir})
	}
	loaded, err := config.Load(config.Input{Environ: asService(w.environ), EnvFile: config.EnvFile(w.environ, os.Getpid())})
	if err != nil {
		return v
	}
	r, err := loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		return netdetect.Find(ctx, netdetect.System(), req)
	})
	if err == nil {
		take(values(r))
	}
	return v
}
