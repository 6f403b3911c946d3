package thisnode

import (
	"context"
	"reflect"
	"time"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// askAgain is the pause before a daemon is asked again that does not answer, or does
// not tell when it changes, as those of before 2026-12.
const askAgain = time.Second

// Follow calls see with each status of the daemon that is another than the one
// before, also as the JSON that came, until ctx ends. Where none answers see gets that error, a [*NoAnswer], and the daemon is
// asked again, as often as it takes: it may be restarting.
func (d *Daemon) Follow(ctx context.Context, see func(status.Status, []byte, error)) {
	var last status.Status
	news := func(st status.Status, raw []byte) {
		st.Goroutines = 0 // those that answer are among them
		if !reflect.DeepEqual(st, last) {
			last = st
			see(st, raw, nil)
		}
	}
	for ctx.Err() == nil {
		st, raw, err := d.Ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			last = status.Status{}
			see(st, raw, err)
		default:
			news(st, raw)
			// However that ends: the next question tells why.
			_ = control.Events(ctx, d.at, func(raw []byte) error {
				st, raw, err := status.Decode(raw)
				if err == nil {
					news(withSteps(st), raw)
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
