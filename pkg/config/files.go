package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// checkFiles has package preflight look at the files and directories that are
// set.
func (d *derivation) checkFiles() {
	host := d.in.Host
	at := func(setting string) string { return d.at(setting) }
	for _, peer := range []bool{true, false} {
		side := d.side(peer)
		found, _ := host.TLS(side)
		d.findings(found, at)
		d.findings(host.Names(side, d.connectedTo(side, d.get)), at)
	}
	d.findings(host.Dirs(d.dataDir(), d.get("wal-dir")), at)
	if hasData, err := d.hasData(); err == nil && !hasData {
		d.findings(host.NewWAL(d.dataDir(), d.get("wal-dir")), at)
	}
	for _, path := range d.tokenKeys() {
		d.findings(host.Readable("auth-token", path), at)
	}
}

// tokenKeys are the files with the keys of etcd's tokens.
func (l *Loaded) tokenKeys() (paths []string) {
	kind, options, _ := strings.Cut(l.get("auth-token"), ",")
	for option := range strings.SplitSeq(options, ",") {
		if key, path, ok := strings.Cut(option, "="); ok && kind == "jwt" && (key == "pub-key" || key == "priv-key") {
			paths = append(paths, path)
		}
	}
	return paths
}

// checkNames is for the addresses that are known only now: those that were
// derived.
func (d *derivation) checkNames() {
	at := func(setting string) string { return d.at(setting) }
	for _, peer := range []bool{true, false} {
		side := d.side(peer)
		d.findings(d.in.Host.Names(side, d.connectedTo(side, func(name string) string { return d.derived[name].Value })), at)
	}
}

// side are the TLS settings of one side.
func (d *derivation) side(peer bool) preflight.Side {
	prefix, crl := "", "client-crl-file"
	if peer {
		prefix, crl = "peer-", "peer-crl-file"
	}
	hasData, _ := d.hasData()
	return preflight.Side{
		Peer:       peer,
		Cert:       d.get(prefix + "cert-file"),
		Key:        d.get(prefix + "key-file"),
		ClientCert: d.get(prefix + "client-cert-file"),
		ClientKey:  d.get(prefix + "client-key-file"),
		CA:         d.get(prefix + "trusted-ca-file"),
		CRL:        d.get(crl),
		ClientAuth: d.isOn(prefix + "client-cert-auth"),
		// With data, its addresses and peers are what the data says.
		Several: d.severalWithTLS() && !hasData,
		// Raft's transport loads the peers' files in any case.
		Idle: !peer && !d.clientTLSInUse(),
	}
}

// severalWithTLS reports whether the list has other members, with https.
func (d *derivation) severalWithTLS() bool {
	return len(d.cluster) > 1 && slices.ContainsFunc(allURLs(d.cluster), func(u string) bool { return strings.HasPrefix(u, "https:") })
}

// clientTLSInUse reports whether a URL for clients is served with TLS, or may
// be once this node's address is known.
func (d *derivation) clientTLSInUse() bool {
	if d.get("listen-client-urls") == "" && d.clusterLike() && !d.inFile {
		return true // the scheme of what is derived is https, if there is a certificate
	}
	for _, l := range listeners {
		if l.tls == clientTLS && slices.ContainsFunc(parseURLs(d.value(l.name)), func(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "unixs" }) {
			return true
		}
	}
	return false
}

// connectedTo lists the hosts of what a side advertises with TLS.
func (d *derivation) connectedTo(s preflight.Side, value func(string) string) (hosts []string) {
	name := "advertise-client-urls"
	if s.Peer {
		name = "initial-advertise-peer-urls"
		if d.get("discovery-srv") != "" {
			return nil // peers then verify the domain's name, not the address
		}
	}
	for _, u := range parseURLs(value(name)) {
		if u.Scheme == "https" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// findings makes problems and notices of what preflight has found; at says
// where a setting stands.
func (l *Loaded) findings(found []preflight.Finding, at func(setting string) string) {
	for _, f := range found {
		p := problemOf(f, at)
		switch {
		case f.Waits && !l.in.Asking:
		case f.Kind != preflight.Unset && f.Notice && l.in.Watching:
		case f.Kind == preflight.Late && l.in.Patient && !f.Notice:
			l.late = append(l.late, p)
		case f.Notice:
			l.notice("%s", p.Error())
		default:
			l.problems = append(l.problems, p)
		}
	}
}

// problemOf is a finding with the place where its setting stands.
func problemOf(f preflight.Finding, at func(setting string) string) settings.Problem {
	where, hint := at(f.Setting), f.Hint
	if where == "" { // a default
		where = f.Setting
	}
	if f.Kind == preflight.Late {
		hint += ", or correct the path"
	}
	return settings.Problem{Where: where, What: f.What, Hint: hint}
}
