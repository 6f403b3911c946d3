package member

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/filewatch"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// loadTLS has etcd's own loader look at the TLS files that etcd is about to
// load. What it says is the same as in etcd's error, but there it is one text
// among others.
func loadTLS(cfg *embed.Config) error {
	quiet := func(info transport.TLSInfo) transport.TLSInfo { info.Logger = nil; return info }
	// Those that it makes itself it makes later, and takes in place of all others.
	if made := cfg.PeerAutoTLS && cfg.PeerTLSInfo.Empty(); !made {
		if _, err := quiet(cfg.PeerTLSInfo).ClientConfig(); err != nil {
			return fmt.Errorf("towards the peers: %w", err)
		}
	}
	if !servesTLS(cfg.ListenClientUrls, cfg.ListenClientHttpUrls, cfg.ListenMetricsUrls) || cfg.ClientTLSInfo.Empty() {
		return nil
	}
	if _, err := quiet(cfg.ClientTLSInfo).ServerConfig(); err != nil {
		return fmt.Errorf("towards clients: %w", err)
	}
	return nil
}

func servesTLS(lists ...[]url.URL) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(u url.URL) bool { return u.Scheme == "https" || u.Scheme == "unixs" })
}

// authorities remembers the files of trusted CAs as etcd has read them, which it
// does once. Certificates it reads at each handshake.
type authorities struct {
	read    map[string][sha256.Size]byte // by path; set before etcd starts
	changed atomic.Pointer[[]string]     // the paths whose content is another one now
}

// remember reads the files, before etcd does. One that cannot be read is left
// out: etcd does not start then.
func (a *authorities) remember(paths ...string) {
	a.read = map[string][sha256.Size]byte{}
	for _, path := range paths {
		if sum, ok := sumOf(path); ok {
			a.read[path] = sum
		}
	}
}

// watch compares them again and again until ctx ends, and calls news when they
// differ in another way than before.
func (a *authorities) watch(ctx context.Context, news func(changed []string)) {
	paths := make([]string, 0, len(a.read))
	for path := range a.read {
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return
	}
	slices.Sort(paths)
	filewatch.Watch{Paths: paths, Look: func() (until time.Time) {
		var changed []string
		for _, path := range paths {
			// One that cannot be read now is being replaced, or is a fault that the
			// supervisor shows.
			if sum, ok := sumOf(path); ok && sum != a.read[path] {
				changed = append(changed, path)
			}
		}
		if !slices.Equal(changed, a.now()) {
			a.changed.Store(&changed)
			news(changed)
		}
		return time.Time{}
	}}.Run(ctx)
}

func sumOf(path string) (sum [sha256.Size]byte, ok bool) {
	if path == "" {
		return sum, false
	}
	data, err := os.ReadFile(path)
	return sha256.Sum256(data), err == nil
}

// now are the files that have changed.
func (a *authorities) now() []string {
	if changed := a.changed.Load(); changed != nil {
		return *changed
	}
	return nil
}

// hasChanged says so of a file, "" where it has not.
func (a *authorities) hasChanged(path string) string {
	if !slices.Contains(a.now(), path) {
		return ""
	}
	return path + " has changed since it was read; it counts from the next restart"
}

// conditions are one for each file.
func (a *authorities) conditions() (all []status.Condition) {
	for _, path := range a.now() {
		all = append(all, status.Condition{ID: failure.IDTLSCAChanged, Text: a.hasChanged(path)})
	}
	return all
}

// watchAuthorities shows a trusted CA that has changed.
func (m *member) watchAuthorities(ctx context.Context) {
	m.authorities.watch(ctx, func(changed []string) {
		if len(changed) > 0 {
			m.log.Warn("a trusted CA has changed since it was read; it counts from the next restart",
				zap.String("failure", failure.IDTLSCAChanged), zap.String("files", strings.Join(changed, ", ")))
		}
		m.observer.ask()
	})
}
