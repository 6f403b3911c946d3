package config

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
)

// Values returns what the commands of a failure's next steps need to know of
// this node.
func Values(r *settings.Resolved) failure.Values {
	set := map[string]string{}
	for _, s := range r.Settings {
		set[s.Name] = s.Value
	}
	v := failure.Values{
		"name":            r.Name,
		"data-dir":        r.DataDir,
		"peer-urls":       set["initial-advertise-peer-urls"],
		"initial-cluster": set["initial-cluster"],
		"endpoints":       otherClients(r.Name, set["initial-cluster"], set["advertise-client-urls"]),
	}
	addClient(v, set, preflight.System())
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

// addClient adds where etcdctl reaches this member, and the files that it
// needs: those that this member has itself, as far as they do. An etcd that has
// a trusted CA asks every client for a certificate, also without
// --client-cert-auth.
func addClient(v failure.Values, set map[string]string, host *preflight.Host) {
	on := func(name string) bool { yes, _ := strconv.ParseBool(set[name]); return yes }
	first, _, _ := strings.Cut(set["advertise-client-urls"], ",")
	if u, err := url.Parse(first); err == nil {
		u.User = nil // nothing to etcdctl, and a password may be in it
		v["client-url"] = u.String()
	}
	ca := set["trusted-ca-file"]
	switch {
	case !strings.HasPrefix(v["client-url"], "https://"):
		return
	case set["cert-file"] == "" && on("auto-tls"): // signed by nobody
		v["client-insecure"] = "true"
		return
	}
	v["client-ca"] = cmp.Or(ca, failure.WordCA)
	if ca == "" && !on("client-cert-auth") {
		return
	}
	cert, key := set["client-cert-file"], set["client-key-file"]
	if cert == "" {
		cert, key = set["cert-file"], set["key-file"]
	}
	if cert == "" || host.ServerOnly(cert) {
		cert, key = failure.WordCert, failure.WordKey
	}
	v["client-cert"], v["client-key"] = cert, key
}
