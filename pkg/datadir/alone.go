package datadir

import (
	"net"
	"net/netip"
	"net/url"
)

// AloneOnLoopback reports whether the data is of a cluster of one whose peer
// URLs no other machine can reach, and returns that member. With such data
// etcd serves alone, whatever cluster the configuration names.
func (d Data) AloneOnLoopback() (Member, bool) {
	if len(d.DB.Members) != 1 || len(d.DB.Members[0].PeerURLs) == 0 {
		return Member{}, false
	}
	m := d.DB.Members[0]
	for _, u := range m.PeerURLs {
		if !OnLoopback(u) {
			return Member{}, false
		}
	}
	return m, true
}

// OnLoopback reports whether a URL is of no other machine's reach.
func OnLoopback(peerURL string) bool {
	u, err := url.Parse(peerURL)
	if err != nil {
		return false
	}
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil {
		host = u.Hostname()
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
