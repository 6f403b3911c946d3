package roster

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// same reports whether two lists of URLs mean the same, whatever their order.
// A name and an address may: that cannot be told without asking, and a list
// that has the one where the data has the other is no news.
func same(a, b []string) bool {
	in := func(list []string) func(string) bool {
		return func(u string) bool {
			return !slices.ContainsFunc(list, func(v string) bool { return u == v || alike(parse(u), parse(v)) })
		}
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func alike(u, v *url.URL) bool {
	return u.Scheme == v.Scheme && u.Port() == v.Port() && mayBeOneHost(u, v)
}

// mayBeOneHost reports whether two URLs may be of one host: a name may have the
// address, and be written without its domain.
func mayBeOneHost(u, v *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	b, err2 := netip.ParseAddr(v.Hostname())
	if (err == nil) != (err2 == nil) {
		return u.Hostname() != "" && v.Hostname() != ""
	}
	if err == nil {
		return a.Unmap() == b.Unmap()
	}
	x, y := strings.ToLower(u.Hostname()), strings.ToLower(v.Hostname())
	return x == y || strings.HasPrefix(x, y+".") || strings.HasPrefix(y, x+".") // with its domain and without
}

// mayShareHost reports whether the two lists may have a host in common.
func mayShareHost(a, b []string) bool {
	return slices.ContainsFunc(a, func(u string) bool {
		return slices.ContainsFunc(b, func(v string) bool { return mayBeOneHost(parse(u), parse(v)) })
	})
}

// oneScheme reports whether the two lists have a scheme in common.
func oneScheme(a, b []string) bool {
	return slices.ContainsFunc(a, func(u string) bool {
		return slices.ContainsFunc(b, func(v string) bool { return parse(u).Scheme == parse(v).Scheme })
	})
}

// onePort reports whether the two lists have a port in common.
func onePort(a, b []string) bool {
	return slices.ContainsFunc(a, func(u string) bool {
		return slices.ContainsFunc(b, func(v string) bool { return parse(u).Port() == parse(v).Port() })
	})
}

// heardAt reports whether a member with these URLs is heard where this machine
// listens, by its address; not where it listens on all addresses.
func heardAt(urls, listens []string) bool {
	return slices.ContainsFunc(urls, func(u string) bool {
		return slices.ContainsFunc(listens, func(l string) bool {
			return parse(u).Hostname() == parse(l).Hostname()
		})
	})
}

// secure reports whether all URLs are of TLS.
func secure(urls []string) bool {
	return !slices.ContainsFunc(urls, func(u string) bool { return !strings.HasSuffix(parse(u).Scheme, "s") })
}

// local reports whether only this machine reaches the URLs.
func local(urls []string) bool {
	return !slices.ContainsFunc(urls, func(u string) bool {
		host := parse(u).Hostname()
		addr, err := netip.ParseAddr(host)
		return host != "localhost" && (err != nil || !addr.Unmap().IsLoopback())
	})
}

// parse is the URL, or an empty one where it is none: the parsers of etcd have
// accepted those that come here.
func parse(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		return &url.URL{}
	}
	return u
}
