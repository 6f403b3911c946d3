package roster

import (
	"net"
	"net/url"
	"slices"
)

// ListenAs is where this member listens for peers: where the others dial it,
// by its data. The list may already have what they are to dial one day, and
// only `member update` tells them. What the operator has set stays, and so does
// what a cluster of one has, which nobody dials; TLS needs a certificate.
func (n Node) ListenAs(members []Member) []string {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Self })
	if !n.Derived || i < 0 || len(members) == 1 {
		return n.Listens
	}
	dialed := members[i].PeerURLs
	var urls []string
	for _, l := range n.Listens {
		u := parse(l)
		if d := dialedAt(u, dialed); d != nil && (n.TLS || d.Scheme == "http") {
			u = &url.URL{Scheme: d.Scheme, Host: net.JoinHostPort(u.Hostname(), d.Port())}
		}
		if !slices.Contains(urls, u.String()) {
			urls = append(urls, u.String())
		}
	}
	return urls
}

// dialedAt is the URL with which the others dial a member where it listens: the
// one of this host, else any if all have one scheme and port. It is nil where
// that cannot be told, and for what is no URL of http.
func dialedAt(listens *url.URL, dialed []string) (at *url.URL) {
	if listens.Scheme != "http" && listens.Scheme != "https" {
		return nil
	}
	several := false
	for _, s := range dialed {
		u := parse(s)
		switch {
		case u.Scheme != "http" && u.Scheme != "https":
		case u.Hostname() == listens.Hostname():
			return u
		case at != nil && (u.Scheme != at.Scheme || u.Port() != at.Port()):
			several = true
		default:
			at = u
		}
	}
	if several {
		return nil
	}
	return at
}
