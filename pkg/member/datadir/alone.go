package datadir

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
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

// OneOfSeveral reports whether the data is of a member of several with a peer
// URL that other machines reach, and returns that member.
func (d Data) OneOfSeveral() (Member, bool) {
	outside := func(u string) bool { return !OnLoopback(u) }
	for _, m := range d.DB.Members {
		if m.ID == d.WAL.MemberID && len(d.DB.Members) > 1 && slices.ContainsFunc(m.PeerURLs, outside) {
			return m, true
		}
	}
	return Member{}, false
}

// OnLoopback reports whether only its own machine reaches a URL.
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
