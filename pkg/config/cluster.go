package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

// entry is a member of the cluster list, its URLs as they were written.
type entry struct {
	name string
	urls []string
}

// parseCluster takes "NAME=URL,NAME=URL,…" apart by etcd's rules, and keeps
// the order. A name that stands there twice has several URLs. Of a list that
// is wrong it returns every problem, and no entry.
func parseCluster(list string) (entries []entry, wrong []settings.Problem) {
	for item := range strings.SplitSeq(list, ",") {
		if item == "" {
			continue
		}
		name, u, _ := strings.Cut(item, "=")
		switch _, err := types.NewURLs([]string{u}); {
		case name != strings.TrimSpace(name):
			wrong = append(wrong, settings.Problem{What: fmt.Sprintf("a blank at the name %q", name), Hint: "write the list without blanks"})
		case err != nil && strings.ContainsAny(item, ";"):
			wrong = append(wrong, settings.Problem{What: fmt.Sprintf("%q holds a semicolon", item), Hint: "separate the members by commas"})
		case name == "" || u == "":
			wrong = append(wrong, settings.Problem{What: fmt.Sprintf("%q is not NAME=URL", item), Hint: "write etcd-1=http://HOST:2380 and so on"})
		case err != nil:
			wrong = append(wrong, settings.Problem{What: err.Error(), Hint: "a peer URL is http://HOST:2380 or https://HOST:2380"})
		}
		u = strings.TrimSpace(u)
		if i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name }); i >= 0 {
			entries[i].urls = append(entries[i].urls, u)
		} else {
			entries = append(entries, entry{name, []string{u}})
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return entries, nil
}

// hosts lists the hosts of e's URLs, without brackets and each once; unix
// sockets have none.
func (e entry) hosts() (hosts []string) {
	for _, u := range parseURLs(strings.Join(e.urls, ",")) {
		if h := u.Hostname(); strings.HasPrefix(u.Scheme, "http") && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// local reports whether e can only be on this machine: all its URLs are
// loopback addresses or unix sockets.
func (e entry) local() bool {
	return !slices.ContainsFunc(e.hosts(), func(h string) bool { return !isLoopback(h) })
}

// members is the cluster list as package netdetect takes it.
func members(entries []entry) (m []netdetect.Member) {
	for _, e := range entries {
		m = append(m, netdetect.Member{Name: e.name, Hosts: e.hosts()})
	}
	return m
}

// named returns the entry of a name.
func named(entries []entry, name string) (entry, bool) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
	if i < 0 {
		return entry{}, false
	}
	return entries[i], true
}

// parseURLs parses a list of URLs that etcd's own parser has accepted.
func parseURLs(list string) (urls []*url.URL) {
	for s := range strings.SplitSeq(list, ",") {
		if u, err := url.Parse(strings.TrimSpace(s)); err == nil && s != "" {
			urls = append(urls, u)
		}
	}
	return urls
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
