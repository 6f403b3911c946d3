package netdetect

import (
	"fmt"
	"strings"
)

// identify gives the place its name and turns it into the Result.
func (l *look) identify(p place) (Result, error) {
	r := Result{Addr: p.Addr, Interface: p.Interface, AddrOrigin: p.origin}
	if p.member >= 0 {
		m := l.cluster.members[p.member]
		r.Member = &m
	}
	if p.origin == "set" && p.Interface == "" && len(l.table) > 0 {
		l.warn("%s is set, but is on no interface of this machine now (%s)", p.Addr, l.table)
	}
	var err error
	if r.Name, r.NameOrigin, err = l.name(p, r.Member); err != nil {
		return Result{}, err
	}
	r.Warnings = l.warnings
	return r, nil
}

// name decides the name: what is set, else the entry's, else the host name.
// A name that contradicts the entry is refused, or with data a warning.
func (l *look) name(p place, entry *Member) (name, origin string, err error) {
	if name := l.req.Name; name != "" {
		if entry != nil && name != entry.Name {
			err = l.contradiction(p, entry, "the name "+name+" is set", l.cluster.find(name) >= 0,
				"unset ETCD_NAME to take the entry's name, or correct ETCD_NAME or ETCD_INITIAL_CLUSTER")
		}
		return name, "set", err
	}
	host, err := l.host.Hostname()
	if err != nil {
		return "", "", fmt.Errorf("read the host name: %w", err)
	}
	if entry == nil {
		if host = short(host); host == "" {
			return "", "", l.refuse("set ETCD_NAME", "this machine has no host name to take the member's name from")
		}
		return host, "host name", nil
	}
	for _, m := range l.cluster.members {
		if (strings.EqualFold(m.Name, host) || strings.EqualFold(m.Name, short(host))) && !strings.EqualFold(m.Name, entry.Name) {
			err = l.contradiction(p, entry, "the host name is "+host, true,
				"set ETCD_NAME="+entry.Name+" if the address is right; correct the host name or the address if not")
		}
	}
	return entry.Name, fmt.Sprintf("the entry of %s in the initial cluster", l.listed(p, entry)), err
}

// contradiction is the error of a name that does not go with the entry.
func (l *look) contradiction(p place, entry *Member, what string, inList bool, hint string) error {
	where := "which is another entry of the initial cluster"
	if !inList {
		where = "which is not in the initial cluster"
	}
	what = fmt.Sprintf("%s, %s, while %s is %s there", what, where, l.listed(p, entry), entry.Name)
	if l.req.HasData {
		l.warn("%s; %s", what, dataCounts)
		return nil
	}
	return l.refuse(hint, "%s", what)
}

// listed is the address as the initial cluster names it:
// "192.168.122.5", "etcd-1.example (192.168.122.5)".
func (l *look) listed(p place, entry *Member) string {
	switch host := p.host; {
	case host == "" && len(entry.Hosts) > 0: // the entry was known by its name
		return entry.Hosts[0]
	case host == p.Addr.String():
		return host
	default:
		return fmt.Sprintf("%s (%s)", host, p.Addr)
	}
}

// ownEntry returns the entry of this machine where none of the entry's
// addresses is on it, -1 if there is no such entry. Debian's installer maps the
// host name to 127.0.1.1 in /etc/hosts. So a name that resolves to loopback only
// says which entry this is if it is the member's name or the host name. And
// where the address and the name are both set, an entry given by DNS name need
// not resolve to that address from here (NAT, split DNS).
func (l *look) ownEntry() (int, error) {
	named := l.cluster.find(l.req.Name)
	var byHost []int
	for _, h := range l.cluster.hosts {
		if h.dns && h.member == named && (h.loopback || l.req.Addr.IsValid()) {
			return named, nil
		}
		if !h.loopback {
			continue
		}
		host, err := l.host.Hostname()
		if err != nil {
			return -1, fmt.Errorf("read the host name: %w", err)
		}
		if strings.EqualFold(short(host), short(h.host)) && (len(byHost) == 0 || byHost[0] != h.member) {
			byHost = append(byHost, h.member)
		}
	}
	if len(byHost) == 1 {
		return byHost[0], nil
	}
	return -1, nil
}

// short is the host name up to its first dot, as hostname -s prints it.
func short(host string) string {
	host, _, _ = strings.Cut(host, ".")
	return host
}
