package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/filewatch"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// tlsFiles looks at the TLS files for as long as the daemon lives: before the
// member starts it waits for those that etcd cannot load, and while it runs it
// says what is wrong with them. One goroutine reads them, because a file system
// may not answer; the others ask what it saw last.
type tlsFiles struct {
	loaded  *config.Loaded
	log     *zap.Logger
	patient bool // somebody sees why the start takes long
	again   chan struct{}

	mu       sync.Mutex
	resolved *settings.Resolved // nil: not yet
	seen     *config.TLS        // nil: not looked yet
	next     chan struct{}      // closed, and replaced, with each look
	waiting  bool
	logged   map[string]bool // the texts that hold and are in the log
}

func newTLSFiles(loaded *config.Loaded, log *zap.Logger, patient bool) *tlsFiles {
	return &tlsFiles{loaded: loaded, log: log, patient: patient, again: make(chan struct{}, 1), next: make(chan struct{})}
}

// watch looks, whenever a file has changed or the clock changes what is to be
// said, until ctx ends.
func (f *tlsFiles) watch(ctx context.Context) {
	if paths := f.loaded.TLSFiles(); len(paths) > 0 {
		filewatch.Watch{Paths: paths, Look: f.look, Again: f.again}.Run(ctx)
	}
}

func (f *tlsFiles) look() (until time.Time) {
	f.mu.Lock()
	resolved := f.resolved
	f.mu.Unlock()
	seen := f.loaded.LookAtTLS(resolved)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = &seen
	close(f.next)
	f.next = make(chan struct{})
	if resolved != nil { // before, what is wrong is waited for
		f.write(seen)
	}
	return seen.Until
}

// write logs what was not wrong at the last look.
func (f *tlsFiles) write(seen config.TLS) {
	before := f.logged
	f.logged = map[string]bool{}
	for _, c := range seen.Conditions {
		if f.logged[c.Text] = true; !before[c.Text] {
			f.log.Warn(c.Text, zap.String("failure", c.ID))
		}
	}
	for _, n := range seen.Notices {
		if f.logged[n] = true; !before[n] {
			f.log.Warn(n)
		}
	}
}

// wait returns when etcd can load all files, at once where nobody would see why
// it waits. A file that comes while it waits may be the first of several that
// belong together, so then those count, too, that do not fit yet.
func (f *tlsFiles) wait(ctx context.Context, say func(string)) error {
	if !f.patient || len(f.loaded.TLSFiles()) == 0 {
		return nil
	}
	defer f.setWaiting(false)
	for waited, said := false, ""; ; {
		f.mu.Lock()
		seen, next := f.seen, f.next
		f.mu.Unlock()
		if seen != nil {
			missing := seen.Late
			if waited {
				missing = append(missing[:len(missing):len(missing)], seen.Unfit...)
			}
			if len(missing) == 0 {
				return nil
			}
			waited = true
			f.setWaiting(true)
			if text := "waiting for TLS files: " + strings.Join(missing, "; "); text != said {
				f.log.Warn(text, zap.String("failure", failure.IDTLSFile))
				say(text)
				said = text
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for TLS files: %w", ctx.Err())
		}
	}
}

func (f *tlsFiles) setWaiting(yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = yes
}

// resolvedAs says under which names others connect to this member.
func (f *tlsFiles) resolvedAs(r *settings.Resolved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resolved = r
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// conditions are what is wrong now. What it waits for is the reason of the state,
// which says it.
func (f *tlsFiles) conditions() (all []status.Condition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting {
		return []status.Condition{{ID: failure.IDTLSFile}}
	}
	if f.seen == nil || f.resolved == nil {
		return nil
	}
	for _, c := range f.seen.Conditions {
		all = append(all, status.Condition(c))
	}
	return all
}

// notices are what deserves a word now.
func (f *tlsFiles) notices() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || f.resolved == nil {
		return nil
	}
	return f.seen.Notices
}
