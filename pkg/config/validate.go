package config

import (
	"errors"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// validate has etcd's own Validate look at settings until it has nothing more
// to say. It stops at the first thing that is wrong, so the setting that it
// blames is put right and it is asked again.
func (d *derivation) validate(list []settings.Setting) (problems []settings.Problem) {
	list = slices.Clone(list)
	for {
		_, err := etcdflags.Validate(list)
		if err == nil {
			return problems
		}
		// The advertised URL may be there and be a problem already.
		unset := errors.Is(err, embed.ErrUnsetAdvertiseClientURLsFlag)
		if !unset || len(d.problems)+len(problems) == 0 {
			problems = append(problems, d.blame(err))
		}
		n := len(list)
		blamed := d.blamed(err.Error())
		if unset {
			blamed = []string{"listen-client-urls"}
		}
		list = slices.DeleteFunc(list, func(s settings.Setting) bool { return slices.Contains(blamed, s.Name) })
		for _, name := range []string{"listen-client-urls", "listen-peer-urls"} {
			if slices.Contains(blamed, name) { // its default goes with an advertised URL, too
				list = append(list, settings.Setting{Name: name, Value: "http://127.0.0.1:1"})
				n++
			}
		}
		if unset {
			list = append(list, settings.Setting{Name: "advertise-client-urls", Value: "http://127.0.0.1:1"})
		}
		if len(list) >= n {
			return problems
		}
	}
}

// blamed lists the settings that an error of etcd's Validate speaks of, by name
// or by a URL that it quotes. If some of them were set it leaves out those that
// were derived.
func (d *derivation) blamed(text string) []string {
	var names, derived []string
	terms := strings.FieldsFunc(text, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, s := range d.settings() {
		hit := slices.ContainsFunc(terms, func(w string) bool { return strings.TrimLeft(w, "-") == s.Name })
		if strings.HasSuffix(s.Name, "-urls") {
			for _, u := range parseURLs(s.Value) {
				hit = hit || strings.Contains(text, u.String())
			}
		}
		switch {
		case !hit || slices.Contains(names, s.Name):
		case d.set[s.Name] != nil:
			names = append(names, s.Name)
		default:
			derived = append(derived, s.Name)
		}
	}
	if len(names) == 0 {
		return derived
	}
	return names
}

// remedies are the ways out of what Validate says, by the setting it blames.
var remedies = map[string]string{
	"heartbeat-interval":          "set ETCD_ELECTION_TIMEOUT to ten heartbeats, the same on all members; both are in milliseconds",
	"election-timeout":            "set it to ten heartbeats and at most 50000, the same on all members; both are in milliseconds",
	"listen-peer-urls":            "give the address of an interface, 0.0.0.0, or localhost; or leave the setting out and it is found",
	"listen-client-urls":          "give the address of an interface, 0.0.0.0, or localhost; or leave the setting out and it is found",
	"listen-client-http-urls":     "give the address of an interface, 0.0.0.0, or localhost",
	"listen-metrics-urls":         "give the address of an interface, 0.0.0.0, or localhost",
	"initial-advertise-peer-urls": "give http://HOST:2380 or https://HOST:2380",
	"advertise-client-urls":       "give http://HOST:2379 or https://HOST:2379",
	"discovery-fallback":          "remove it: exit is the only value left",
	"discovery-token":             "set ETCD_DISCOVERY_TOKEN and ETCD_DISCOVERY_ENDPOINTS",
	"discovery-endpoints":         "set ETCD_DISCOVERY_TOKEN and ETCD_DISCOVERY_ENDPOINTS",
	"feature-gates":               "set both gates, or none",
}

// blame makes a Problem of an error of etcd's Validate.
func (d *derivation) blame(err error) settings.Problem {
	names := d.blamed(err.Error())
	p := settings.Problem{Where: d.at(names...), What: err.Error()}
	switch {
	case errors.Is(err, embed.ErrUnsetAdvertiseClientURLsFlag):
		p.Hint = "set ETCD_ADVERTISE_CLIENT_URLS to the URLs under which clients reach this member"
	case errors.Is(err, embed.ErrConflictBootstrapFlags):
		p.Hint = "remove all but one: a cluster is either listed or discovered"
	case len(names) > 0:
		p.Hint = remedies[names[0]]
	}
	return p
}
