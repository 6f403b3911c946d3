package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The snippet names the members in numbered pairs, ETCD_1=etcd-1 and
// ETCD_IP_1=192.168.122.5 and so on.
var pairName = regexp.MustCompile("^ETCD_(IP_)?([0-9]+)$")

// pair is a member as a pair names it. Both variables are set.
type pair struct {
	number   int
	name, ip Setting
}

// maxPair bounds the numbering: above it, ETCD_2380 is a slip and not a member.
const maxPair = 99

// loadPairs reads the numbered pairs, in their order.
func (l *Loaded) loadPairs(vars map[string]Setting) (pairs []pair) {
	byNumber := make(map[int]*pair)
	ok := true
	wrong := func(where string, err error) {
		l.wrong(where, err)
		ok = false
	}
	for _, name := range sorted(vars) {
		m := pairName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		s := vars[name]
		l.used[name] = true
		n, err := strconv.Atoi(m[2])
		if err != nil || n < 1 || n > maxPair || strconv.Itoa(n) != m[2] {
			wrong(s.Source, &Problem{What: "the members are numbered 1, 2, 3 …"})
			continue
		}
		p := byNumber[n]
		if p == nil {
			p = &pair{number: n}
			byNumber[n] = p
		}
		if m[1] == "" {
			p.name = s
			err = decode(s.Value, reflect.ValueOf(new(memberName)).Elem())
		} else {
			p.ip = s
			var h host
			err = decode(s.Value, reflect.ValueOf(&h).Elem())
			p.ip.Value = string(h)
		}
		if err != nil {
			wrong(s.Source, err)
		}
	}
	for _, p := range byNumber {
		pairs = append(pairs, *p)
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.number, b.number) })

	for i, p := range pairs {
		if p.number != i+1 {
			wrong(cmp.Or(p.name.Source, p.ip.Source), &Problem{What: fmt.Sprintf("a gap in the numbering: ETCD_%d and ETCD_IP_%d are missing", i+1, i+1)})
			break
		}
	}
	names, ips := make(map[string]Setting), make(map[string]Setting)
	for _, p := range pairs {
		switch {
		case p.name.Source == "":
			wrong(p.ip.Source, &Problem{What: "half a pair", Hint: fmt.Sprintf("set ETCD_%d to the member's name", p.number)})
		case p.ip.Source == "":
			wrong(p.name.Source, &Problem{What: "half a pair", Hint: fmt.Sprintf("set ETCD_IP_%d to the member's address", p.number)})
		}
		for _, x := range []struct {
			seen map[string]Setting
			s    Setting
		}{{names, p.name}, {ips, p.ip}} {
			if first, twice := x.seen[x.s.Value]; twice && x.s.Value != "" {
				wrong(x.s.Source, &Problem{What: x.s.Value + " is already in " + first.Source})
			} else {
				x.seen[x.s.Value] = x.s
			}
		}
	}
	if !ok {
		return nil
	}
	return pairs
}

// clusterOf is the cluster list that pairs stand for.
func clusterOf(pairs []pair, scheme string) string {
	var list []string
	for _, p := range pairs {
		list = append(list, p.name.Value+"="+scheme+"://"+net.JoinHostPort(p.ip.Value, peerPort))
	}
	return strings.Join(list, ",")
}

// differs compares pairs with a cluster list: names and hosts, for a pair
// knows nothing of scheme and port. It returns "" or what is different.
func differs(pairs []pair, list []entry) string {
	for _, p := range pairs {
		e, ok := named(list, p.name.Value)
		if !ok {
			return fmt.Sprintf("%s (ETCD_%d) is not in it", p.name.Value, p.number)
		}
		if hosts := e.hosts(); !slices.ContainsFunc(hosts, func(h string) bool { return canonicalHost(h) == p.ip.Value }) {
			return fmt.Sprintf("%s has %s there and %s in ETCD_IP_%d", e.name, strings.Join(hosts, ", "), p.ip.Value, p.number)
		}
	}
	for _, e := range list {
		if !slices.ContainsFunc(pairs, func(p pair) bool { return p.name.Value == e.name }) {
			return e.name + " is in no pair"
		}
	}
	return ""
}

// memberName is the name of a member in a pair.
type memberName string

// Decode implements envconfig.Decoder.
func (n *memberName) Decode(s string) error {
	if shellSyntax.MatchString(s) {
		return shellIn(s, "write the name itself")
	}
	if strings.ContainsAny(s, ",= \t\n") {
		return &Problem{What: strconv.Quote(s) + " cannot be the name of a member: it holds a blank, \",\" or \"=\""}
	}
	*n = memberName(s)
	return nil
}

// host is the address of a member in a pair: an IP address or a DNS name.
type host string

var dnsName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// Decode implements envconfig.Decoder.
func (h *host) Decode(s string) error {
	if shellSyntax.MatchString(s) {
		return shellIn(s, "write the address itself")
	}
	c := canonicalHost(s)
	if _, err := netip.ParseAddr(c); err == nil {
		*h = host(c)
		return nil
	}
	// Four numbers that are no address are not meant as a name either.
	if !dnsName.MatchString(c) || strings.Trim(c, "0123456789.") == "" {
		return &Problem{What: strconv.Quote(s) + " is neither an IP address nor a DNS name",
			Hint: "give the address alone; where ports differ from 2380 use ETCD_INITIAL_CLUSTER instead of the pairs"}
	}
	*h = host(c)
	return nil
}

// canonicalHost writes a host in the one way in which hosts are compared.
func canonicalHost(s string) string {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return addr.String()
	}
	return strings.ToLower(s)
}
