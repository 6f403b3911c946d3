package main

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
	"github.com/etcd-node/etcd-node/pkg/tlsfiles"
)

// preparation finds out what the supervisor is to launch.
type preparation struct {
	w      world
	loaded *config.Loaded
	own    unit.File
	log    *zap.Logger
	files  *tlsfiles.Files
	home   *home

	managed bool        // systemd waits, and shows what is waited for; else the daemon ends, as etcd does
	person  bool        // reads the log
	waiting atomic.Bool // for this node's addresses
}

// launch says what to launch.
func (p *preparation) launch(ctx context.Context, say func(string)) (supervisor.Launch, error) {
	r, err := p.resolve(ctx, func(reason string) {
		p.home.early(p.loaded.SetDataDir())
		say(reason)
	})
	if err != nil {
		return supervisor.Launch{}, err
	}
	l := supervisor.NewLaunch(r, config.Values(r))
	l.Notices = append(slices.Clone(r.Notices), p.home.records.Past().ClockNotice(time.Now()))
	if p.home.pins != nil {
		l.Notices = append(l.Notices, l.Guard.Read(p.home.pins.Store()))
	}
	l.Notices = slices.DeleteFunc(l.Notices, func(n string) bool { return n == "" })
	for _, n := range l.Notices {
		p.log.Warn(n)
	}
	maps.Copy(l.Values, p.own.Values())
	p.home.beside(r.DataDir)
	l.LastEnd = p.home.records.Past().LastEnd()
	if l.Terminal = p.person; p.person {
		l.Greeting = greeting(p.w, r)
	}
	return l, nil
}

// resolve resolves the configuration. It waits for TLS files, and under systemd
// for this node's addresses for as long as it takes: stock etcd under Restart= would
// be there a moment after one that comes late.
func (p *preparation) resolve(ctx context.Context, say func(string)) (*settings.Resolved, error) {
	if err := p.files.Wait(ctx, say); err != nil {
		return nil, err
	}
	defer p.waiting.Store(false)
	waits := func(reason string) {
		if p.managed { // else the supervisor's line is in the log
			p.log.Warn("waiting: " + reason)
		}
		p.waiting.Store(true)
		say(reason)
	}
	r, err := p.loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		patience := thisnode.Patience(p.loaded, p.loaded.Node().AddressWait)
		patience.Absent, patience.Endless = p.managed, p.managed
		return netdetect.Wait(ctx, netdetect.System(), req, patience, waits)
	})
	if err == nil && p.managed { // an address that was found is there; one that was set may be late
		err = netdetect.AwaitAddresses(ctx, netdetect.System(), config.Listens(r), waits)
	}
	if err != nil {
		return nil, config.AsFailure(err)
	}
	p.files.ResolvedAs(r)
	return r, nil
}

// conditions are for `etcd-node explain`: the status says what is waited for.
func (p *preparation) conditions() []status.Condition {
	if !p.waiting.Load() {
		return nil
	}
	return []status.Condition{{ID: failure.IDNoAddress}}
}
