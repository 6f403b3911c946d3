package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/tlsutil"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// check finds what is wrong with the settings as a whole and what etcd would
// find out only halfway through its start, or not at all. It needs no look at
// the machine.
func (d *derivation) check() {
	d.checkTransport()
	d.checkPorts()
	d.checkList()
	d.checkValues()
}

// at says where settings stand, for Problem.Where; those that are neither set
// nor derived are left out.
func (d *derivation) at(names ...string) string {
	var where []string
	for _, name := range names {
		if s := d.set[name]; len(s) > 0 {
			where = append(where, strings.TrimPrefix(s[len(s)-1].Source, "from "))
		} else if s, ok := d.derived[name]; ok {
			where = append(where, s.Name+" ("+strings.TrimSpace(string(s.Origin)+" "+s.Source)+")")
		}
	}
	return join(slices.Compact(where))
}

// cause is the setting that decides on scheme and port of URLs to listen on:
// itself, or where it is derived what is advertised or listed.
func (d *derivation) cause(listen string) string {
	advertise := map[string]string{"listen-peer-urls": "initial-advertise-peer-urls", "listen-client-urls": "advertise-client-urls"}[listen]
	switch {
	case d.set[listen] != nil:
	case d.set[advertise] != nil:
		return advertise
	case listen == "listen-peer-urls" && len(d.cluster) > 0:
		return "initial-cluster"
	}
	return listen
}

// shown is a URL of a setting, as messages name it: while this node's address
// is not known, what only stands in for it is not shown.
func (d *derivation) shown(name string, u *url.URL) string {
	if d.set[name] == nil && u.Hostname() == standIn.String() {
		return u.Scheme + "://(this node's address):" + u.Port()
	}
	return u.String()
}

// listeners are the settings of URLs to listen on, with the TLS settings that
// count there.
var listeners = []struct {
	name string
	tls  tlsSettings
}{
	{"listen-peer-urls", peerTLS},
	{"listen-client-urls", clientTLS},
	{"listen-client-http-urls", clientTLS},
	{"listen-metrics-urls", clientTLS},
}

// checkTransport: etcd opens some of its ports before it finds a certificate
// missing.
func (d *derivation) checkTransport() {
	for _, l := range listeners {
		secure := d.get(l.tls.cert) != "" || d.isOn(l.tls.auto)
		var plain []string
		for _, u := range parseURLs(d.value(l.name)) {
			switch tls := u.Scheme == "https" || u.Scheme == "unixs"; {
			case tls && !secure && d.get(l.tls.key) == "":
				what := u.String()
				if d.set[l.name] == nil { // the scheme follows from what is advertised
					what = u.Scheme
				}
				d.problem(d.at(d.cause(l.name)), what+" needs a certificate, and none is set",
					fmt.Sprintf("set %s and %s, or write http", settings.Variable(l.tls.cert), settings.Variable(l.tls.key)))
			case !tls && secure && u.Scheme == "http" && l.name != "listen-metrics-urls" && !isLoopback(u.Hostname()):
				plain = append(plain, d.shown(l.name, u))
			}
		}
		if len(plain) > 0 {
			d.notice("%s: %s without TLS, although a certificate is set: it is not used there", d.at(d.cause(l.name)), join(plain))
		}
	}
	if list := parseURLs(strings.Join(allURLs(d.cluster), ",")); len(list) > 1 {
		if first := list[0].Scheme; slices.ContainsFunc(list, func(u *url.URL) bool { return u.Scheme != first }) {
			d.notice("%s: http and https are mixed: right only while a cluster moves from one to the other", d.at("initial-cluster"))
		}
	}
}

// checkPorts looks for ports that do not exist, and for one port with two
// purposes.
func (d *derivation) checkPorts() {
	for _, name := range urlSettings {
		for _, u := range parseURLs(d.value(name)) {
			n, err := strconv.Atoi(u.Port())
			if strings.HasPrefix(u.Scheme, "http") && (err != nil || n > 65535) {
				d.problem(d.at(name), fmt.Sprintf("%s: there is no port %q", d.shown(name, u), u.Port()), "give a number up to 65535")
			}
		}
	}
	if d.isOn("socket-reuse-port") {
		return
	}
	// URLs for clients may share a port with each other, but not with metrics.
	for _, pair := range [][2]string{
		{"listen-peer-urls", "listen-client-urls"}, {"listen-peer-urls", "listen-client-http-urls"},
		{"listen-peer-urls", "listen-metrics-urls"}, {"listen-client-urls", "listen-metrics-urls"},
	} {
		for _, a := range parseURLs(d.effective(pair[0])) {
			for _, b := range parseURLs(d.effective(pair[1])) {
				if !collide(a, b) {
					continue
				}
				what := fmt.Sprintf("%s and %s cannot both be listened on", d.shown(pair[0], a), d.shown(pair[1], b))
				if a.String() == b.String() {
					what = d.shown(pair[0], a) + " cannot be listened on for two purposes"
				}
				d.problem(d.at(d.cause(pair[0]), d.cause(pair[1])), what+": it is one port",
					"give them different ports; usual are 2380 for peers and 2379 for clients")
			}
		}
	}
}

// collide reports whether two URLs cannot be listened on at the same time.
func collide(a, b *url.URL) bool {
	if !strings.HasPrefix(a.Scheme, "http") || !strings.HasPrefix(b.Scheme, "http") || a.Port() != b.Port() || a.Port() == "0" {
		return false
	}
	host := func(u *url.URL) string {
		if u.Hostname() == "localhost" {
			return localhost
		}
		return canonicalHost(u.Hostname())
	}
	return host(a) == host(b) || everywhere(a) || everywhere(b)
}

// effective is a setting's value, or etcd's default.
func (d *derivation) effective(name string) string {
	if v := d.value(name); v != "" {
		return v
	}
	return etcdflags.New().Lookup(name).DefValue
}

// everywhere reports whether u is on all addresses.
func everywhere(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsUnspecified()
}

func allURLs(list []entry) (urls []string) {
	for _, e := range list {
		urls = append(urls, e.urls...)
	}
	return urls
}

// checkList looks at the cluster list, and at what is advertised.
func (d *derivation) checkList() {
	owner := make(map[string]string) // host:port → member
	hasData, _ := d.hasData()        // then the list is not read any more
	for _, e := range d.cluster {
		for _, u := range parseURLs(strings.Join(e.urls, ",")) {
			at := u.Scheme + "://" + u.Host + u.Path
			if strings.HasPrefix(u.Scheme, "http") {
				at = net.JoinHostPort(canonicalHost(u.Hostname()), u.Port())
			}
			what := fmt.Sprintf("%s and %s have the same address, %s", owner[at], e.name, at)
			switch other, taken := owner[at]; {
			case !taken || other == e.name:
			case hasData:
				d.notice("%s: %s", d.at("initial-cluster"), what)
			default:
				d.problem(d.at("initial-cluster"), what, "give each member its own")
			}
			owner[at] = e.name
		}
	}
	// Two is an even number too, but a cluster of one grows by way of it.
	if n := len(d.cluster); n > 0 && n%2 == 0 {
		d.notice("%s: an even number of members, %d, survives the loss of no more of them than %d would", d.at("initial-cluster"), n, n-1)
	}
	near := slices.ContainsFunc(d.cluster, func(e entry) bool { return !e.local() })
	for _, name := range []string{"initial-advertise-peer-urls", "advertise-client-urls"} {
		for _, u := range parseURLs(d.get(name)) {
			switch {
			case everywhere(u):
				d.notice("%s: %s is an address to listen on; no other machine can connect to it", d.at(name), u)
			case near && strings.HasPrefix(u.Scheme, "http") && isLoopback(u.Hostname()):
				d.notice("%s: %s is this machine alone; the other members' machines cannot connect to it", d.at(name), u)
			}
		}
	}
}

// quotaLimit is what etcd's documentation suggests as the most: a larger
// database takes long to start, to snapshot and to send.
const quotaLimit = 8 << 30

// checkValues looks at single settings.
func (d *derivation) checkValues() {
	if n, err := strconv.ParseInt(d.get("quota-backend-bytes"), 10, 64); err == nil && n > quotaLimit {
		d.notice("%s: %d bytes are more than the 8 GiB up to which etcd is tried: start, snapshot and defragmentation take long", d.at("quota-backend-bytes"), n)
	} else if err == nil && n < 0 {
		d.notice("%s: a negative number means no limit: the database may grow until the disk is full", d.at("quota-backend-bytes"))
	}
	if v := d.get("auto-compaction-retention"); v != "" {
		n, err1 := strconv.Atoi(v)
		_, err2 := time.ParseDuration(v)
		if (err1 != nil || n < 0) && err2 != nil {
			d.problem(d.at("auto-compaction-retention"), fmt.Sprintf("%q is neither a number nor a duration", v),
				"give hours, a duration such as 5m, or, with auto-compaction-mode revision, a number of revisions")
		}
	}
	for suite := range strings.SplitSeq(d.get("cipher-suites"), ",") {
		if _, ok := tlsutil.GetCipherSuite(suite); !ok && suite != "" {
			d.problem(d.at("cipher-suites"), fmt.Sprintf("%q is not a cipher suite", suite), "write a name such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, or leave the choice to Go")
		}
	}
	for name, what := range map[string]string{
		"unsafe-no-fsync":   "what was acknowledged is lost with the power",
		"force-new-cluster": "the other members are forgotten, at one start only; remove it after that",
	} {
		if d.isOn(name) {
			d.notice("%s is on: %s", d.at(name), what)
		}
	}
}
