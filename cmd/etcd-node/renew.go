package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
)

// addressLimit is how long a reload looks for this node's address: it has one, as a
// rule.
const addressLimit = 2 * time.Second

// renew finds out what has changed since the configuration was read, for
// [supervisor.Options]. It changes nothing.
func (p *preparation) renew(ctx context.Context, sent []string) (r supervisor.Renewal, err error) {
	before := p.now.Load()
	own := p.w.environ.Starter()
	p.reading.Lock()
	loaded, err := config.Load(before.loaded.Anew(sent, own))
	p.reading.Unlock()
	if err != nil {
		return r, err
	}
	exe, err := before.exe.replaced(ctx, p.candidate)
	if err != nil {
		return r, err
	}
	p.candidate = exe // one wish at a time is served
	environ := before.environ
	var variables []string
	if len(sent) > 0 {
		environ = loaded.Environment()
		variables = config.EnvironmentChanges(before.environ, environ)
	}
	g := p.generation(loaded, own, environ, exe)
	patience := p.patience(g, addressLimit)
	patience.Endless = false
	resolved, err := p.find(ctx, g, patience, func(string) {})
	if err != nil {
		return r, err
	}
	g.files.ResolvedAs(resolved)
	g.resolved.Store(resolved)

	was := before.resolved.Load()
	for _, notice := range resolved.Notices {
		if was == nil || !slices.Contains(was.Notices, notice) {
			r.Notices = append(r.Notices, notice)
		}
	}
	if was == nil {
		r.Restart, r.Changes = true, []string{"the daemon had not begun with the settings of before"}
	} else {
		now := *was // a first start has made data since
		now.HasData = before.loaded.HoldsData()
		if err := compare(&r, &now, resolved); err != nil {
			return r, err
		}
	}
	for _, name := range before.loaded.FileChanges(loaded) {
		r.Restart, r.Changes = true, append(r.Changes, fmt.Sprintf("%s: changed in %s", name, resolved.ConfigFile))
	}
	for _, name := range variables { // their values may be secrets
		r.Restart, r.Changes = true, append(r.Changes, name+": changed in the environment")
	}
	if exe != before.exe {
		r.Restart, r.Changes = true, append(r.Changes, fmt.Sprintf("the member's binary: %s → %s", before.exe.version, exe.version))
	}
	r.Launch = p.launchOf(g, resolved)
	r.Use, r.Undo = func() { p.use(g) }, func() { p.use(before) }
	return r, nil
}

// compare adds the settings that differ to a renewal. The error, a [*settings.Invalid],
// names those that would make another member of this one.
func compare(r *supervisor.Renewal, was, is *settings.Resolved) error {
	var impossible []settings.Problem
	for _, c := range was.Diff(is) {
		line := fmt.Sprintf("%s: %s → %s (%s)", c.Name, shownValue(c.From), shownValue(c.To), c.Origin)
		switch c.Reach(was.HasData) {
		case settings.ToAnother:
			impossible = append(impossible, settings.Problem{
				Where: is.SetAt(c.Name), What: fmt.Sprintf("%s cannot change from %s to %s while the member runs", c.Name, shownValue(c.From), shownValue(c.To)),
				Hint: c.Effect,
			})
		case settings.ToNothing:
			line += ": no effect"
		case settings.ToLevel:
			if r.Level = is.Value("log-level"); r.Level == "" {
				r.Level = "info" // etcd's default
			}
		case settings.ToMember:
			r.Restart = true
		}
		r.Changes = append(r.Changes, line)
	}
	if len(impossible) > 0 {
		return &settings.Invalid{Problems: impossible}
	}
	return nil
}

// shownValue is a value for the operator.
func shownValue(v string) string {
	if v == "" {
		return "(default)"
	}
	return v
}

// hangupLimit is how long a reload may wait that nobody waits for: as long as five
// nodes in turn take.
const hangupLimit = 15 * time.Minute

func renewWithin(ctx context.Context, limit time.Duration, s *supervisor.Supervisor, log *zap.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.Renew(ctx, control.Wish{}, func(text string) { log.Info("reload: " + text) })
}

// onHangup renews whenever systemd's service gets a SIGHUP, until ctx ends.
func onHangup(ctx context.Context, s *supervisor.Supervisor, log *zap.Logger) {
	hangups := make(chan os.Signal, 1) // one that comes meanwhile counts, a second one says the same
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Ignore(syscall.SIGHUP) // not its default, which is the end
	for {
		select {
		case <-hangups:
		case <-ctx.Done():
			return
		}
		log.Info("SIGHUP: reading the unit's files again")
		err := renewWithin(ctx, hangupLimit, s, log)
		var invalid *settings.Invalid
		switch {
		case errors.As(err, &invalid):
			for _, p := range invalid.Problems {
				log.Error("reload refused, the member runs as before: " + p.Error())
			}
		case err != nil && ctx.Err() == nil:
			log.Error("reload failed", zap.Error(err))
		}
	}
}
