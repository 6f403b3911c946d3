package config

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

// tlsSettings name the settings that make etcd speak TLS on one side.
type tlsSettings struct{ cert, key, auto string }

var (
	peerTLS   = tlsSettings{"peer-cert-file", "peer-key-file", "peer-auto-tls"}
	clientTLS = tlsSettings{"cert-file", "key-file", "auto-tls"}
)

// scheme is the scheme of derived URLs.
func (l *Loaded) scheme(tls tlsSettings) string {
	if l.get(tls.cert) != "" || l.get(tls.key) != "" || l.isOn(tls.auto) {
		return "https"
	}
	return "http"
}

// isOn returns a boolean setting whose default is false.
func (l *Loaded) isOn(name string) bool {
	on, _ := strconv.ParseBool(l.get(name))
	return on
}

// hostURL puts a URL together, an IPv6 address in brackets.
func hostURL(scheme, host, port string) string {
	return scheme + "://" + net.JoinHostPort(host, port)
}

// listenOn returns the URLs to listen on where advertised are known to the
// others: the schemes and ports of these, on addr. Where addr is one of
// several addresses advertised, they all are this machine's.
func listenOn(advertised []*url.URL, addr netip.Addr) string {
	isAddr := func(u *url.URL) bool { return u.Hostname() == addr.String() }
	all := slices.ContainsFunc(advertised, isAddr)
	var urls []string
	for _, u := range advertised {
		s := u.String()
		if _, err := netip.ParseAddr(u.Hostname()); strings.HasPrefix(u.Scheme, "http") && (err != nil || !all) {
			s = hostURL(u.Scheme, addr.String(), u.Port())
		}
		if !slices.Contains(urls, s) {
			urls = append(urls, s)
		}
	}
	return strings.Join(urls, ",")
}

// reachable returns those of the URLs listened on that others can reach, all
// if none can.
func reachable(urls []*url.URL) string {
	var near, far []string
	for _, u := range urls {
		s := u.String()
		if strings.HasPrefix(u.Scheme, "unix") || isLoopback(u.Hostname()) {
			near = append(near, s)
		} else if !slices.Contains(far, s) {
			far = append(far, s)
		}
	}
	if len(far) == 0 {
		far = near
	}
	return strings.Join(far, ",")
}

// sameURLs compares two lists of URLs, whatever their order.
func sameURLs(a, b string) bool {
	text := func(list string) (s []string) {
		for _, u := range parseURLs(list) {
			s = append(s, u.String())
		}
		slices.Sort(s)
		return s
	}
	return slices.Equal(text(a), text(b))
}

// short cuts a host name at its first dot, as hostname -s does.
func short(host string) string {
	name, _, _ := strings.Cut(host, ".")
	return name
}

// Listens are the addresses to listen on, and where each stands.
func Listens(r *settings.Resolved) (all []netdetect.Listen) {
	for _, s := range r.Settings {
		if !strings.HasPrefix(s.Name, "listen-") || !strings.HasSuffix(s.Name, "-urls") {
			continue
		}
		for text := range strings.SplitSeq(s.Value, ",") {
			u, err := url.Parse(text)
			if err != nil {
				continue // etcd has accepted them
			}
			if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
				all = append(all, netdetect.Listen{Addr: addr, Where: cmp.Or(s.Source, s.Name)})
			}
		}
	}
	return all
}
