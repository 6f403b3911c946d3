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
	var listens, dialed []*url.URL
	for _, s := range n.Listens {
		listens = append(listens, parse(s))
	}
	for _, s := range members[i].PeerURLs {
		dialed = append(dialed, parse(s))
	}
	var urls []string
	for _, u := range listens {
		if d := dialedAt(u, listens, dialed); d != nil && (n.TLS || d.Scheme == "http") {
			u = &url.URL{Scheme: d.Scheme, Host: net.JoinHostPort(u.Hostname(), d.Port())}
		}
		urls = append(urls, u.String())
	}
	return urls
}

// dialedAt is the URL with which the others dial a listener, of this host if any
// is: itself, else the one of its port, else the only one on whose port nothing
// listens, if this is the only listener that nobody dials. It is nil where that
// cannot be told, and for what is no URL of http.
func dialedAt(u *url.URL, listens, dialed []*url.URL) *url.URL {
	if noHTTP(u) {
		return nil
	}
	at := ofHost(u, dialed)
	if all := slices.DeleteFunc(slices.Clone(dialed), noHTTP); len(at) == 0 && len(all) > 0 {
		other := func(d *url.URL) bool { return d.Scheme != all[0].Scheme || d.Port() != all[0].Port() }
		if slices.ContainsFunc(all, other) {
			return nil
		}
		at = all[:1] // a name of this host, or its old address
	}
	if slices.ContainsFunc(at, func(d *url.URL) bool { return d.Scheme == u.Scheme && d.Port() == u.Port() }) {
		return u
	}
	if i := slices.IndexFunc(at, onPortOf(u)); i >= 0 {
		return at[i]
	}
	own := ofHost(u, listens)
	if free := without(at, own); len(free) == 1 && len(without(own, at)) == 1 {
		return free[0]
	}
	return nil
}

// ofHost are the URLs of http that have the host of u.
func ofHost(u *url.URL, urls []*url.URL) []*url.URL {
	return slices.DeleteFunc(slices.Clone(urls), func(v *url.URL) bool { return noHTTP(v) || v.Hostname() != u.Hostname() })
}

// without are the URLs whose port none of others has.
func without(urls, others []*url.URL) []*url.URL {
	return slices.DeleteFunc(slices.Clone(urls), func(u *url.URL) bool { return slices.ContainsFunc(others, onPortOf(u)) })
}

func onPortOf(u *url.URL) func(*url.URL) bool {
	return func(v *url.URL) bool { return v.Port() == u.Port() }
}

func noHTTP(u *url.URL) bool { return u.Scheme != "http" && u.Scheme != "https" }
