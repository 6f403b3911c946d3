package config

import (
	"net"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

// etcd's ports, and the address that the snippet opens to local clients.
const (
	peerPort   = "2380"
	clientPort = "2379"
	localhost  = "127.0.0.1"
)

var urlSettings = []string{
	"listen-peer-urls", "listen-client-urls", "listen-client-http-urls", "listen-metrics-urls",
	"initial-advertise-peer-urls", "advertise-client-urls",
}

// clusterLike reports whether anything asks for more than a member on loopback:
// only then is anything detected or derived.
func (l *Loaded) clusterLike() bool {
	return l.get("initial-cluster") != "" || l.discovery() || l.peer != (peer{}) || l.node.Interface != ""
}

func (l *Loaded) discovery() bool {
	return l.get("discovery-endpoints") != "" || l.get("discovery-srv") != "" ||
		l.get("discovery-srv-name") != "" || l.get("discovery-token") != ""
}

// loopbackOnly reports whether etcd's default, one member on loopback, is all
// that was asked for.
func (l *Loaded) loopbackOnly() bool {
	return !l.clusterLike() && !slices.ContainsFunc(urlSettings, func(name string) bool { return l.set[name] != nil })
}

// derivation adds to what was set what the shell snippet would have typed.
type derivation struct {
	*Loaded
	id      *netdetect.Result           // nil: derive what needs no look at the machine
	derived map[string]settings.Setting // what is added
	missing []string                    // what cannot be derived without id
	inFile  bool                        // what was set stands in etcd's config file
}

// derive works out every setting that is not set and that follows from what
// is. With a nil id it stops at what only detection can tell, and lists it as
// missing; what it derives then does not change with id.
func (l *Loaded) derive(id *netdetect.Result) *derivation {
	d := &derivation{Loaded: l, id: id, derived: make(map[string]settings.Setting)}
	if l.get("data-dir") == "" && l.stateDir != "" {
		d.add("data-dir", l.stateDir, settings.FromDerivation, "from STATE_DIRECTORY")
	}
	if l.clusterLike() {
		d.name()
		d.peerURLs()
		d.clientURLs()
		d.initialCluster()
	} else if l.hostName {
		if name, err := l.in.Hostname(); err == nil {
			d.add("name", short(name), settings.FromDetection, "from host name")
		}
	}
	return d
}

func (d *derivation) add(name, value string, origin settings.Origin, source string) {
	d.derived[name] = settings.Setting{Name: name, Value: value, Origin: origin, Source: source}
}

// value returns a setting, as set or as derived so far.
func (d *derivation) value(name string) string {
	if v := d.get(name); v != "" {
		return v
	}
	return d.derived[name].Value
}

func (d *derivation) name() {
	const name = "name"
	if d.get(name) != "" {
		return
	}
	e, known := d.ownURLs()
	switch {
	case known:
		d.add(name, e.name, settings.FromDerivation, "from its URL in "+d.listSource())
	case d.id != nil:
		d.add(name, d.id.Name, settings.FromDetection, "from "+d.id.NameOrigin)
	default:
		d.missing = append(d.missing, name)
	}
}

// peerURLs: what the cluster list says of this member is what it advertises,
// to the letter, because etcd compares the two.
func (d *derivation) peerURLs() {
	const listen, advertise = "listen-peer-urls", "initial-advertise-peer-urls"
	if d.get(advertise) == "" {
		if e, ok := d.ownEntry(); ok {
			d.add(advertise, strings.Join(e.urls, ","), settings.FromDerivation, "from "+e.name+" in "+d.listSource())
		} else {
			d.advertise(advertise, listen, peerTLS, peerPort)
		}
	}
	if d.get(listen) != "" {
		return
	}
	if e, ok := d.local(); ok {
		d.add(listen, strings.Join(e.urls, ","), settings.FromDerivation, "from "+e.name+" in "+d.listSource())
		return
	}
	addr, origin, source, ok := d.address()
	if !ok {
		d.missing = append(d.missing, listen)
		return
	}
	d.add(listen, listenOn(parseURLs(d.value(advertise)), addr), origin, source)
}

func (d *derivation) clientURLs() {
	const listen, advertise = "listen-client-urls", "advertise-client-urls"
	if _, local := d.local(); local && d.get(listen) == "" {
		return // etcd's defaults are on loopback
	}
	if d.get(listen) == "" {
		if addr, origin, source, ok := d.address(); ok {
			port := clientPort
			for _, u := range parseURLs(d.get(advertise)) {
				if u.Hostname() == addr.String() {
					port = u.Port()
				}
			}
			scheme := d.scheme(clientTLS)
			urls := []string{hostURL(scheme, addr.String(), port)}
			if local := hostURL(scheme, localhost, port); !slices.Contains(urls, local) {
				urls = append(urls, local)
			}
			d.add(listen, strings.Join(urls, ","), origin, source)
		} else {
			d.missing = append(d.missing, listen)
		}
	}
	if d.get(advertise) == "" {
		d.advertise(advertise, listen, clientTLS, clientPort)
	}
}

// advertise derives what to advertise from the URLs listened on, where these
// are set, else from the address of this node.
func (d *derivation) advertise(name, listen string, tls tlsSettings, port string) {
	urls := parseURLs(d.get(listen))
	if len(urls) > 0 && !slices.ContainsFunc(urls, everywhere) {
		d.add(name, reachable(urls), settings.FromDerivation, "from "+d.source(listen))
		return
	}
	addr, origin, source, ok := d.address()
	if !ok {
		d.missing = append(d.missing, name)
		return
	}
	if len(urls) == 0 {
		d.add(name, hostURL(d.scheme(tls), addr.String(), port), origin, source)
		return
	}
	for _, u := range urls {
		if everywhere(u) {
			u.Host = net.JoinHostPort(addr.String(), u.Port())
		}
	}
	d.add(name, reachable(urls), origin, source)
}

// initialCluster: a node that was given an address or an interface and no
// cluster is a cluster of one.
func (d *derivation) initialCluster() {
	name, urls := d.value("name"), parseURLs(d.value("initial-advertise-peer-urls"))
	if d.set["initial-cluster"] != nil || d.discovery() || name == "" || len(urls) == 0 {
		return
	}
	var list []string
	for _, u := range urls {
		list = append(list, name+"="+u.String())
	}
	source := "from ETCD_PEER: a cluster of one"
	if d.peer == (peer{}) {
		source = "from ETCD_NODE_INTERFACE: a cluster of one"
	}
	d.add("initial-cluster", strings.Join(list, ","), settings.FromDerivation, source)
}
