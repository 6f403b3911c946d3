package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

const loopbackNotice = "no cluster is configured: this is a cluster of one on loopback, http://localhost:2379; " +
	"for a cluster set ETCD_INITIAL_CLUSTER, or ETCD_1=NAME and ETCD_IP_1=ADDRESS and so on, the same on every machine"

// Request says what has to be detected; ok is false when nothing has to be:
// when no cluster is configured, or name and URLs are all set. It looks
// whether the data dir holds a member.
func (l *Loaded) Request() (req netdetect.Request, ok bool) {
	if l.file != nil || len(l.derive(nil).missing) == 0 {
		return netdetect.Request{}, false
	}
	addr, _ := l.setAddress()
	hasData, _ := l.hasData()
	return netdetect.Request{
		Addr:      addr,
		Interface: l.node.Interface,
		Name:      l.get("name"),
		Cluster:   members(l.cluster),
		HasData:   hasData,
	}, true
}

// Resolve adds what is detected and derived, and validates the whole with
// etcd's own rules. find is asked once if [Loaded.Request] asks for anything,
// else not at all; netdetect.Find or netdetect.Wait fits.
//
// The error is a [*settings.Invalid] for a configuration that does not work on this
// machine, a netdetect.Refusal included; else it wraps the error of find.
// Nothing is written or created.
func (l *Loaded) Resolve(ctx context.Context, find func(context.Context, netdetect.Request) (netdetect.Result, error)) (*settings.Resolved, error) {
	r := &settings.Resolved{Node: l.node, Own: l.own, Notices: slices.Clone(l.Notices)}
	if l.file != nil {
		r.ConfigFile, r.Settings, r.Member = l.get("config-file"), l.set["config-file"], l.file.Member
		return r, nil
	}
	r.LoopbackOnly = l.loopbackOnly()
	var id *netdetect.Result
	if req, ok := l.Request(); ok {
		found, err := find(ctx, req)
		var refusal *netdetect.Refusal
		if errors.As(err, &refusal) {
			what := refusal.Reason
			if refusal.Found != "" {
				what += "; found " + refusal.Found
			}
			return nil, &settings.Invalid{Problems: []settings.Problem{{What: what, Hint: refusal.Hint}}, Notices: r.Notices}
		}
		if err != nil {
			return nil, fmt.Errorf("find this node's address and name: %w", err)
		}
		id = &found
		r.Notices = append(r.Notices, found.Warnings...)
	}
	seen := *l // what is found now is said now, and not kept for the next time
	seen.Notices, seen.problems = nil, nil
	d := seen.derive(id)
	r.Settings = d.settings()

	var problems []settings.Problem
	hasData, err := l.hasData()
	r.HasData = hasData
	if err != nil {
		r.Notices = append(r.Notices, fmt.Sprintf("cannot see whether there is data already: %v", err))
	}
	if p := d.notListed(); p != nil && !hasData {
		problems = append(problems, *p)
	}
	if r.Member, err = etcdflags.Validate(r.Settings); err != nil {
		problems = append(problems, d.blame(err))
	}
	d.checkNames()
	r.Notices = append(r.Notices, d.Notices...)
	if problems = append(problems, d.problems...); len(problems) > 0 {
		return nil, &settings.Invalid{Problems: problems, Notices: r.Notices}
	}
	return r, nil
}

// AsFailure classes an error of [Load], or of what [Loaded.Resolve] and whoever
// waits for this node's address have asked.
func AsFailure(err error) *failure.Failure {
	var (
		known   *failure.Failure
		pending *netdetect.Pending
		invalid *settings.Invalid
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &pending):
		return failure.New(failure.IDNoAddress, err.Error())
	case errors.As(err, &invalid):
		f := failure.New(failure.IDConfiguration, "")
		f.Cause = err.Error()
		f.Values = map[string]string{"refused": f.Cause}
		return f
	default: // a netlink socket, a directory: what only the system can refuse
		return failure.New(failure.IDCannotLook, err.Error())
	}
}

// standIn is the address of a node whose address is not known: one that is for
// documentation alone (RFC 5737).
var standIn = netip.MustParseAddr("192.0.2.1")

// trial validates with a made-up identity, so that a mistake shows before the
// wait for an address and together with all others.
func (l *Loaded) trial() {
	// With a problem it may not be true: a value that was refused counts as not set.
	if l.loopbackOnly() && len(l.problems) == 0 {
		l.notice(loopbackNotice)
	}
	if l.isOn("enable-log-rotation") {
		l.notice(rotationNotice)
	}
	id := &netdetect.Result{Addr: standIn, Name: "etcd-node"}
	if addr, _ := l.setAddress(); addr.IsValid() {
		id.Addr = addr
	}
	if m := members(l.cluster); len(m) > 0 && l.get("name") == "" {
		id.Name, id.Member = m[0].Name, &m[0]
	}
	d := l.derive(id)
	l.problems = append(l.problems, d.validate(d.settings())...)
	if l.in.readOnly {
		return
	}
	d.check()
	d.checkElections(l.node, l.own)
	d.checkFiles()
}

// settings lists what was set and what was derived, by name.
func (d *derivation) settings() (list []settings.Setting) {
	for _, s := range d.set {
		list = append(list, s...)
	}
	for _, s := range d.derived {
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b settings.Setting) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// notListed returns the problem of a new member that the cluster list does not
// have, or has with other peer URLs than it advertises; nil if there is none.
// etcd would say "discovery failed". It asks DNS before it compares URLs; here
// only addresses are compared.
func (d *derivation) notListed() *settings.Problem {
	const advertise = "initial-advertise-peer-urls"
	name := cmp.Or(d.value("name"), embed.DefaultName)
	if _, ok := named(d.cluster, name); !ok && len(d.cluster) > 0 {
		var names []string
		for _, e := range d.cluster {
			names = append(names, e.name)
		}
		return &settings.Problem{
			Where: d.source("name"),
			What:  fmt.Sprintf("this member's name, %s, is not in %s, which lists %s", name, d.listSource(), join(names)),
			Hint:  "set ETCD_NAME to the name that the list gives this machine",
		}
	}
	e, ok := d.ownEntry()
	listed, advertised := strings.Join(e.urls, ","), d.get(advertise)
	if !ok || advertised == "" || sameURLs(advertised, listed) {
		return nil
	}
	for _, u := range parseURLs(advertised + "," + listed) {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil && strings.HasPrefix(u.Scheme, "http") {
			return nil
		}
	}
	return &settings.Problem{
		Where: d.at(advertise),
		What:  fmt.Sprintf("%s is not what %s has for %s, %s", advertised, d.listSource(), e.name, listed),
		Hint:  "write the same in both, to the letter; or remove " + settings.Variable(advertise) + ", which follows from the list",
	}
}

// hasData reports whether there is a WAL, by etcd's own rule.
func (l *Loaded) hasData() (bool, error) {
	dir := l.get("wal-dir")
	if dir == "" {
		dir = filepath.Join(l.dataDir(), "member", "wal")
	}
	names, err := l.in.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return slices.ContainsFunc(names, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".wal" }), err
}

// dataDir returns the data dir before detection. Where it is NAME.etcd and the
// name is not known, the short host name stands in: that is what the name
// becomes unless the cluster list knows this machine by another, and under
// systemd there is a STATE_DIRECTORY.
func (l *Loaded) dataDir() string {
	d := l.derive(nil)
	if dir := d.value("data-dir"); dir != "" {
		return dir
	}
	name := d.value("name")
	if name == "" && !l.clusterLike() {
		name = embed.DefaultName
	}
	if name == "" {
		host, _ := l.in.Hostname()
		name = short(host)
	}
	return name + ".etcd"
}
