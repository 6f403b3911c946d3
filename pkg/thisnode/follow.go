package thisnode

import (
	"context"
	"time"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// askAgain is the pause before a daemon is asked again that does not answer, or does
// not tell when it changes, as those of before 2026-12.
const askAgain = time.Second

// Follow calls see with each status of the daemon, also as the JSON that came, until
// ctx ends. Where none answers see gets that error, a [*NoAnswer], and the daemon is
// asked again, as often as it takes: it may be restarting.
func (d *Daemon) Follow(ctx context.Context, see func(status.Status, []byte, error)) {
	for ctx.Err() == nil {
		st, raw, err := d.Ask(ctx)
		if ctx.Err() != nil {
			return
		}
		see(st, raw, err)
		if err == nil {
			// However that ends: the next question tells why.
			_ = control.Events(ctx, d.at, func(raw []byte) error {
				st, raw, err := status.Decode(raw)
				if err == nil {
					see(withSteps(st), raw, nil)
				}
				return err
			})
		}
		select {
		case <-ctx.Done():
		case <-time.After(askAgain):
		}
	}
}
