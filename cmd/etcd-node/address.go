package main

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// patienceOf is a wait for this node's address that knows where the list stands
// and what the data says.
func patienceOf(loaded *config.Loaded, limit time.Duration) netdetect.Patience {
	return netdetect.Patience{
		Limit: limit,
		List:  loaded.ListedAt(),
		Data: func() []string {
			data, _ := datadir.Inspect(loaded.Dirs()) // what fails here, the start says when it comes to that
			return data.PeerHosts()
		},
	}
}

// addresses waits for this node's addresses on behalf of the daemon. managed:
// systemd waits, and shows what is waited for; else the daemon ends, as etcd does.
type addresses struct {
	loaded  *config.Loaded
	log     *zap.Logger
	managed bool
	waiting atomic.Bool
}

// find finds this node's address and name. Under systemd it waits for as long as
// it takes.
func (a *addresses) find(ctx context.Context, req netdetect.Request, say func(string)) (netdetect.Result, error) {
	p := patienceOf(a.loaded, a.loaded.Node().AddressWait)
	p.Absent, p.Endless = a.managed, a.managed
	defer a.waiting.Store(false)
	return netdetect.Wait(ctx, netdetect.System(), req, p, a.saying(say))
}

// await waits until this machine has every address that is to be listened on. One
// that was found is there, and one that was set may be late: stock etcd under
// Restart= would be there a moment after it.
func (a *addresses) await(ctx context.Context, r *settings.Resolved, say func(string)) error {
	if !a.managed {
		return nil
	}
	defer a.waiting.Store(false)
	return netdetect.AwaitAddresses(ctx, netdetect.System(), config.Listens(r), a.saying(say))
}

// saying says what is waited for, also in the log: without systemd the
// supervisor's line is there already.
func (a *addresses) saying(say func(string)) func(string) {
	return func(reason string) {
		if a.managed {
			a.log.Warn("waiting: " + reason)
		}
		a.waiting.Store(true)
		say(reason)
	}
}

// conditions are for `etcd-node explain`: the status says what is waited for.
func (a *addresses) conditions() []status.Condition {
	if !a.waiting.Load() {
		return nil
	}
	return []status.Condition{{ID: failure.IDNoAddress}}
}
