package tlsfiles

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

// Files are the TLS files of one configuration. Make them with [New], and run
// [Files.Watch] beside all who ask.
type Files struct {
	loaded  *config.Loaded
	log     *zap.Logger
	patient bool
	again   chan struct{}

	mu       sync.Mutex
	resolved *settings.Resolved // nil: not yet
	seen     *config.TLS        // nil: not looked yet
	next     chan struct{}      // closed, and replaced, with each look
	waiting  bool
	logged   map[string]bool // the texts that hold and are in the log
}

// New looks at nothing yet. patient: somebody sees what [Files.Wait] waits for.
func New(loaded *config.Loaded, log *zap.Logger, patient bool) *Files {
	return &Files{loaded: loaded, log: log, patient: patient, again: make(chan struct{}, 1), next: make(chan struct{})}
}

// Watch looks, whenever a file has changed or the clock changes what is to be
// said, until ctx ends.
func (f *Files) Watch(ctx context.Context) {
	if paths := f.loaded.TLSFiles(); len(paths) > 0 {
		filewatch.Watch{Paths: paths, Look: f.look, Again: f.again}.Run(ctx)
	}
}

func (f *Files) look() (until time.Time) {
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
func (f *Files) write(seen config.TLS) {
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

// Wait returns when etcd can load all files, at once where nobody would see why
// it waits. A file that comes while it waits may be the first of several that
// belong together, so then those count, too, that do not fit yet.
func (f *Files) Wait(ctx context.Context, say func(string)) error {
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

func (f *Files) setWaiting(yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = yes
}

// ResolvedAs says under which names others connect to this member.
func (f *Files) ResolvedAs(r *settings.Resolved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resolved = r
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// Conditions are what is wrong now. What it waits for is the reason of the state,
// which says it.
func (f *Files) Conditions() (all []status.Condition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting {
		return []status.Condition{{ID: failure.IDTLSFile}}
	}
	if f.seen == nil || f.resolved == nil {
		return nil
	}
	for _, c := range f.seen.Conditions {
		all = append(all, status.Condition{ID: c.ID, Text: c.Text})
	}
	return all
}

// Notices are what deserves a word now.
func (f *Files) Notices() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || f.resolved == nil {
		return nil
	}
	return f.seen.Notices
}

// Certificates are those in use, as they were read last.
func (f *Files) Certificates() (all []status.Certificate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || f.resolved == nil {
		return nil
	}
	for _, c := range f.seen.Certificates {
		all = append(all, status.Certificate{File: c.Path, Settings: c.Settings, NotAfter: c.NotAfter})
	}
	return all
}
