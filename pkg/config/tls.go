package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// TLS is what there is to be said of the TLS files at one moment. It holds until
// one of them changes, or until Until.
type TLS struct {
	// Late are the files that etcd cannot load, and for which a daemon waits
	// where somebody sees why. Unfit are those that it loads and that keep a new
	// cluster from forming.
	Late, Unfit []string
	// Conditions are what is wrong or about to be, for a member that runs.
	Conditions []TLSCondition
	// Notices are the rest, in whole sentences.
	Notices []string
	// Certificates are those in use that can be read.
	Certificates []Certificate
	Until        time.Time // zero: the clock changes nothing
}

// Certificate is one that is in use.
type Certificate struct {
	Path     string
	Settings []string // the flags that name it
	NotAfter time.Time
}

// TLSCondition is one thing that is wrong, with its entry in package failure.
type TLSCondition struct{ ID, Text string }

// TLSFiles are the paths of the TLS files that are set, and of the keys of
// etcd's tokens.
func (l *Loaded) TLSFiles() []string {
	paths := slices.Concat(l.tls.side(true).Files(), l.tls.side(false).Files(), l.tls.tokenKeys())
	slices.Sort(paths)
	return slices.Compact(paths)
}

// LookAtTLS looks at the TLS files as they are now. Once the configuration is
// resolved, r has the names that the certificates must be for; before, it is nil.
// It may run at the same time as [Loaded.Resolve].
func (l *Loaded) LookAtTLS(r *settings.Resolved) TLS {
	d := l.tls
	advertised := d.get
	if r != nil && r.ConfigFile == "" {
		advertised = func(name string) string {
			for _, s := range r.Settings {
				if s.Name == name {
					return s.Value
				}
			}
			return ""
		}
	}
	look := tlsLook{d: d}
	for _, peer := range []bool{true, false} {
		side := d.side(peer)
		found, until := d.in.Host.TLS(side)
		if !until.IsZero() && (look.Until.IsZero() || until.Before(look.Until)) {
			look.Until = until
		}
		look.ends(d.in.Host.Ends(side))
		hosts := d.connectedTo(side, advertised)
		if own := listensAt(r); peer && len(own) > 0 {
			hosts = own
		}
		found = append(found, d.in.Host.Names(side, hosts)...)
		for _, f := range found {
			look.take(f, peer && d.severalWithTLS())
		}
	}
	for _, path := range d.tokenKeys() {
		for _, f := range d.in.Host.Readable("auth-token", path) {
			look.take(f, false)
		}
	}
	return look.done()
}

// listensAt are the addresses of this machine at which a member with data listens
// with TLS, where they were derived: the data says where the others dial it, and the
// list of a first start may have another address since, or a mistyped one.
func listensAt(r *settings.Resolved) (hosts []string) {
	if r == nil || !r.HasData || !r.Derived("listen-peer-urls") {
		return nil
	}
	for _, u := range parseURLs(r.Value("listen-peer-urls")) {
		advertised := slices.ContainsFunc(parseURLs(r.Value("initial-advertise-peer-urls")), func(v *url.URL) bool {
			_, err := netip.ParseAddr(v.Hostname())
			return err != nil || v.Hostname() == u.Hostname() // a name may be this address's
		})
		if addr, err := netip.ParseAddr(u.Hostname()); err != nil || addr.IsUnspecified() || advertised {
			return nil
		}
		if u.Scheme == "https" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// tlsLook sorts findings. What is found of one file through several settings is
// said once, and names them all.
type tlsLook struct {
	TLS
	d      *derivation
	said   []preflight.Finding
	places [][]string // of said: where its settings stand
	names  [][]string // and their names
	peers  []bool     // said of a certificate that other members must accept
}

func (k *tlsLook) ends(all []preflight.End) {
	for _, e := range all {
		i := slices.IndexFunc(k.Certificates, func(c Certificate) bool { return c.Path == e.Path })
		if i < 0 {
			i = len(k.Certificates)
			k.Certificates = append(k.Certificates, Certificate{Path: e.Path, NotAfter: e.NotAfter})
		}
		k.Certificates[i].Settings = append(k.Certificates[i].Settings, e.Setting)
	}
}

func (k *tlsLook) take(f preflight.Finding, peers bool) {
	where := problemOf(f, func(setting string) string { return k.d.at(setting) }).Where
	name := k.d.asWritten(settings.Variable(f.Setting))
	i := slices.IndexFunc(k.said, func(s preflight.Finding) bool { return s.What == f.What && s.Kind == f.Kind })
	if i < 0 {
		i = len(k.said)
		k.said, k.places, k.names, k.peers = append(k.said, f), append(k.places, nil), append(k.names, nil), append(k.peers, false)
	}
	k.said[i].Notice = k.said[i].Notice && f.Notice
	k.places[i], k.names[i] = append(k.places[i], where), append(k.names[i], name)
	k.peers[i] = k.peers[i] || peers
}

func (k *tlsLook) done() TLS {
	for i, f := range k.said {
		hint := k.d.asWritten(f.Hint)
		condition := func(id string) {
			k.Conditions = append(k.Conditions, TLSCondition{id, shown.Redacted(fmt.Sprintf("%s (%s)", f.What, join(k.names[i])))})
		}
		switch {
		case f.Kind == preflight.Unset: // as when it was loaded
		case f.Kind == preflight.Late:
			k.Late = append(k.Late, shown.Redacted(fmt.Sprintf("%s (%s, or correct %s)", f.What, hint, strings.NewReplacer(" (", ", ", ")", "").Replace(join(k.places[i])))))
			condition(failure.IDTLSFile)
		case f.Kind == preflight.Revocations:
			condition(failure.IDTLSCRL)
		case f.Kind == preflight.Expired:
			condition(failure.IDTLSExpired)
		case f.Kind == preflight.Expires:
			condition(failure.IDTLSExpires)
		default:
			p := settings.Problem{Where: join(k.places[i]), What: f.What, Hint: hint}
			if !f.Notice {
				k.Unfit = append(k.Unfit, p.Error())
			}
			if f.Kind == preflight.Misfit && k.peers[i] {
				condition(failure.IDTLSUnfit)
			} else {
				k.Notices = append(k.Notices, p.Error())
			}
		}
	}
	return k.TLS
}

// asWritten names settings as the operator writes them: variables, or the keys
// of etcd's config file.
func (d *derivation) asWritten(text string) string {
	if d.inFile {
		return etcdflags.AsKeys(text)
	}
	return text
}
