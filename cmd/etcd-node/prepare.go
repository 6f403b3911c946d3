package main

import (
	"context"
	"maps"
	"slices"
	"sync"
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
	w    world
	log  *zap.Logger
	home *home

	managed bool        // systemd waits, and shows what is waited for; else the daemon ends, as etcd does
	person  bool        // reads the log
	waiting atomic.Bool // for this node's addresses

	now       atomic.Pointer[generation]
	candidate executable // the binary that a reload has found last
	reading   sync.Mutex // package config must not be used twice at a time
}

// generation is what the operator has written, as it was read once: at the start of the
// daemon, and with each reload.
type generation struct {
	loaded  *config.Loaded
	own     unit.File
	environ []string // of the member, but for its settings
	files   *tlsfiles.Files
	exe     executable

	resolved atomic.Pointer[settings.Resolved] // nil: not yet
	unwatch  context.CancelFunc                // nil: the files are not watched
}

func (p *preparation) generation(loaded *config.Loaded, own unit.File, environ []string, exe executable) *generation {
	return &generation{loaded: loaded, own: own, environ: environ, exe: exe, files: tlsfiles.New(loaded, p.log, p.managed)}
}

// use makes a generation the one that counts.
func (p *preparation) use(g *generation) {
	if before := p.now.Swap(g); before != nil && before.unwatch != nil {
		before.unwatch()
		before.unwatch = nil
	}
	// Nobody waits for its end: it may hang in a file system that does not answer,
	// and has nothing to tidy up.
	var watching context.Context
	watching, g.unwatch = context.WithCancel(context.Background())
	go g.files.Watch(watching)
}

// launch says what to launch.
func (p *preparation) launch(ctx context.Context, say func(string)) (supervisor.Launch, error) {
	g := p.now.Load()
	r, err := p.resolve(ctx, g, func(reason string) {
		p.home.early(g.loaded.SetDataDir())
		say(reason)
	})
	if err != nil {
		return supervisor.Launch{}, err
	}
	return p.launchOf(g, r), nil
}

// launchOf is the launch of a resolved configuration.
func (p *preparation) launchOf(g *generation, r *settings.Resolved) supervisor.Launch {
	l := supervisor.NewLaunch(r, config.Values(r))
	l.Notices = append(slices.Clone(r.Notices), p.home.records.Past().ClockNotice(time.Now()))
	if p.home.pins != nil {
		l.Notices = append(l.Notices, l.Guard.Read(p.home.pins.Store()))
	}
	l.Notices = slices.DeleteFunc(l.Notices, func(n string) bool { return n == "" })
	for _, n := range l.Notices {
		p.log.Warn(n)
	}
	maps.Copy(l.Values, g.own.Values())
	p.home.beside(r.DataDir)
	l.LastEnd = p.home.records.Past().LastEnd()
	if l.Level = r.Value("log-level"); l.Level == "" && r.ConfigFile == "" {
		l.Level = "info" // etcd's default
	}
	l.Exe, l.Environ, l.Found = g.exe.path, g.environ, r.Found()
	if l.Terminal = p.person; p.person {
		l.Greeting = greeting(p.w, r)
	}
	return l
}

// resolve resolves the configuration. It waits for TLS files, and under systemd
// for this node's addresses for as long as it takes: stock etcd under Restart= would
// be there a moment after one that comes late.
func (p *preparation) resolve(ctx context.Context, g *generation, say func(string)) (*settings.Resolved, error) {
	if err := g.files.Wait(ctx, say); err != nil {
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
	r, err := p.find(ctx, g, p.patience(g, g.loaded.Node().AddressWait), waits)
	if err == nil && p.managed { // an address that was found is there; one that was set may be late
		err = netdetect.AwaitAddresses(ctx, netdetect.System(), config.Listens(r), waits)
	}
	if err != nil {
		return nil, config.AsFailure(err)
	}
	g.files.ResolvedAs(r)
	g.resolved.Store(r)
	return r, nil
}

// patience is how long this node's address is waited for.
func (p *preparation) patience(g *generation, limit time.Duration) netdetect.Patience {
	patience := thisnode.Patience(g.loaded, limit)
	patience.Absent, patience.Endless = p.managed, p.managed
	return patience
}

// find resolves a configuration with this node's address. While that is waited for,
// another configuration may be read.
func (p *preparation) find(ctx context.Context, g *generation, patience netdetect.Patience, waits func(string)) (*settings.Resolved, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	return g.loaded.Resolve(ctx, func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		p.reading.Unlock()
		defer p.reading.Lock()
		return netdetect.Wait(ctx, netdetect.System(), req, patience, waits)
	})
}

// conditions are what is wrong with this node besides its member. Those about the
// addresses are for `etcd-node explain`: the status says what is waited for.
func (p *preparation) conditions() []status.Condition {
	all := slices.Concat(p.home.conditions(), p.now.Load().files.Conditions())
	if p.waiting.Load() {
		all = append(all, status.Condition{ID: failure.IDNoAddress})
	}
	return all
}

func (p *preparation) certificates() []status.Certificate { return p.now.Load().files.Certificates() }

func (p *preparation) notices() []string { return p.now.Load().files.Notices() }
