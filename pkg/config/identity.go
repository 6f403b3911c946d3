package config

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// ownURLs returns the entry of the cluster list that is this member's beyond
// doubt, without its name: the one with the URLs it advertises, or the only
// one where that is on loopback.
func (d *derivation) ownURLs() (entry, bool) {
	adv := d.get("initial-advertise-peer-urls")
	for _, e := range d.cluster {
		if adv != "" && sameURLs(adv, strings.Join(e.urls, ",")) || len(d.cluster) == 1 && e.local() {
			return e, true
		}
	}
	return entry{}, false
}

// ownEntry returns this member's entry in the cluster list.
func (d *derivation) ownEntry() (entry, bool) {
	if d.id != nil && d.id.Member != nil {
		return named(d.cluster, d.id.Member.Name)
	}
	return named(d.cluster, d.value("name"))
}

// address returns the address of this node and where it comes from; ok is
// false when only detection can tell.
func (d *derivation) address() (addr netip.Addr, origin settings.Origin, source string, ok bool) {
	const listen, advertise = "listen-peer-urls", "initial-advertise-peer-urls"
	if addr := d.addressIn(listen); addr.IsValid() && d.get(advertise) != "" {
		return addr, settings.FromDerivation, "from " + d.source(listen), true // all is said
	}
	if d.id == nil {
		return netip.Addr{}, "", "", false
	}
	if set, source := d.setAddress(); set.IsValid() {
		return d.id.Addr, settings.FromDerivation, "from " + source, true
	}
	return d.id.Addr, settings.FromDetection, strings.TrimPrefix(d.id.AddrOrigin, string(settings.FromDetection)+" "), true
}

// local returns this member's entry where the cluster list has it on loopback
// or on a unix socket: then no port of this member is open to the network.
func (d *derivation) local() (entry, bool) {
	e, ok := d.ownEntry()
	return e, ok && e.local()
}

// listSource says where the cluster list stands.
func (d *derivation) listSource() string { return d.ListedAt() }

// ListedAt says where the cluster list stands, for a person who has to correct
// it: "ETCD_INITIAL_CLUSTER (/etc/default/etcd:3)"; "" where there is none.
func (l *Loaded) ListedAt() string {
	return strings.TrimPrefix(l.source("initial-cluster"), "from ")
}

// Dirs are the data dir and the WAL dir, "" where the WAL has none of its own, as
// far as they are known before this node's name is.
func (l *Loaded) Dirs() (data, wal string) { return l.dataDir(), l.get("wal-dir") }

// SetDataDir is the data dir where it is set, or the unit's; "" where it is still
// to follow from this node's name.
func (l *Loaded) SetDataDir() string {
	if l.file != nil {
		return l.file.Member.DataDir
	}
	return cmp.Or(l.get("data-dir"), l.stateDir)
}

// setAddress returns the address that the operator set, and where: ETCD_PEER,
// else an address in the peer URLs, one that others can reach first.
func (l *Loaded) setAddress() (addr netip.Addr, source string) {
	if l.peer.addr.IsValid() {
		return l.peer.addr, l.peerSource
	}
	for _, name := range []string{"listen-peer-urls", "initial-advertise-peer-urls"} {
		if a := l.addressIn(name); a.IsValid() && (!addr.IsValid() || addr.IsLoopback() && !a.IsLoopback()) {
			addr, source = a, l.source(name)
		}
	}
	return addr, source
}

// addressIn returns the first address in a setting of URLs, one that others
// can reach if there is one; zero where there are only names or all addresses.
func (l *Loaded) addressIn(name string) (addr netip.Addr) {
	for _, u := range parseURLs(l.get(name)) {
		a, err := netip.ParseAddr(u.Hostname())
		if err == nil && !a.IsUnspecified() && (!addr.IsValid() || addr.IsLoopback() && !a.IsLoopback()) {
			addr = a.WithZone("").Unmap()
		}
	}
	return addr
}
