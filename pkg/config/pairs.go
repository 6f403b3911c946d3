package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// The snippet names the members in numbered pairs, ETCD_1=etcd-1 and
// ETCD_IP_1=192.168.122.5 and so on.
var pairName = regexp.MustCompile("^ETCD_(IP_)?([0-9]+)$")

// pair is a member as a pair names it. Both variables are set.
type pair struct {
	number   int
	name, ip settings.Setting
}

// source is where the pair stands.
func (p pair) source() string { return cmp.Or(p.name.Source, p.ip.Source) }

// maxPair bounds the numbering: ETCD_2380 is a mistake and not a member.
const maxPair = 99

// loadPairs reads the numbered pairs, in their order; none where one is wrong.
func (l *Loaded) loadPairs(variables map[string]settings.Setting) (pairs []pair) {
	before := len(l.problems)
	for _, name := range sorted(variables) {
		m := pairName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		s := variables[name]
		l.used[name] = true
		n, err := strconv.Atoi(m[2])
		if err != nil || n < 1 || n > maxPair || strconv.Itoa(n) != m[2] {
			l.problem(s.Source, "the members are numbered 1, 2, 3 …", "")
			continue
		}
		for len(pairs) < n {
			pairs = append(pairs, pair{number: len(pairs) + 1})
		}
		if p := &pairs[n-1]; m[1] == "" {
			p.name = s
			err = checkName(s.Value)
		} else {
			p.ip = s
			p.ip.Value, err = parseHost(s.Value)
		}
		if err != nil {
			l.wrong(s.Source, err)
		}
	}
	gap := false
	seen := make(map[string]string) // where a name or an address stands first
	for i, p := range pairs {
		switch n := p.number; {
		case p.name.Source == "" && p.ip.Source == "":
			if !gap {
				next := slices.IndexFunc(pairs[i:], func(p pair) bool { return p != pair{number: p.number} })
				l.problem(pairs[i+next].source(), fmt.Sprintf("a gap in the numbering: ETCD_%d and ETCD_IP_%d are missing", n, n), "")
			}
			gap = true
		case p.name.Source == "":
			l.problem(p.source(), "half a pair", fmt.Sprintf("set ETCD_%d to the member's name", n))
		case p.ip.Source == "":
			l.problem(p.source(), "half a pair", fmt.Sprintf("set ETCD_IP_%d to the member's address", n))
		}
		for kind, s := range []settings.Setting{p.name, p.ip} {
			key := fmt.Sprint(kind, s.Value)
			if first := seen[key]; first != "" && s.Value != "" {
				l.problem(s.Source, s.Value+" is already in "+first, "")
			} else {
				seen[key] = s.Source
			}
		}
	}
	if len(l.problems) > before {
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

// checkName refuses what cannot be the name of a member in a pair.
func checkName(s string) error {
	if shellSyntax.MatchString(s) {
		return shellIn(s, "write the name itself")
	}
	if strings.ContainsAny(s, ",= \t\n") {
		return &settings.Problem{What: strconv.Quote(s) + " cannot be the name of a member: it holds a blank, \",\" or \"=\""}
	}
	return nil
}

var dnsName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// parseHost takes the address of a member in a pair: an IP address or a DNS name.
func parseHost(s string) (string, error) {
	if shellSyntax.MatchString(s) {
		return s, shellIn(s, "write the address itself")
	}
	c := canonicalHost(s)
	// Four numbers that are not an address are not meant as a name either.
	if _, err := netip.ParseAddr(c); err != nil && (!dnsName.MatchString(c) || strings.Trim(c, "0123456789.") == "") {
		return s, &settings.Problem{What: strconv.Quote(s) + " is neither an IP address nor a DNS name",
			Hint: "give the address alone; where ports differ from 2380 use ETCD_INITIAL_CLUSTER instead of the pairs"}
	}
	return c, nil
}

// canonicalHost writes a host in the one way in which hosts are compared.
func canonicalHost(s string) string {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return addr.String()
	}
	return strings.ToLower(s)
}
