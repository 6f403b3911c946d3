package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/control"
)

// questioners may ask at a time whether the member can be spared: each has all other
// members asked, for up to 10 s.
const questioners = 4

// errands are what the socket lets its owners do, and ask for what takes its time.
//
// POST /reload, /restart and /drift, which only tells what a reload would change, take a
// [control.Wish] as JSON. POST /spare asks whether the cluster
// can spare the member: it changes nothing, so the group may ask.
func (s *Supervisor) errands(mux *http.ServeMux) {
	renew := func(restart, dryRun bool) http.HandlerFunc {
		return control.ForOwners(control.Errand(kindOf, func(ctx context.Context, body []byte, say func(string)) error {
			var w control.Wish
			if err := json.Unmarshal(body, &w); err != nil {
				return err
			}
			w.Restart, w.DryRun = restart, dryRun
			return s.Renew(ctx, w, say)
		}))
	}
	mux.HandleFunc("POST /reload", renew(false, false))
	mux.HandleFunc("POST /restart", renew(true, false))
	mux.HandleFunc("POST /drift", renew(false, true))
	asking := make(chan struct{}, questioners)
	mux.HandleFunc("POST /spare", control.Errand(kindOf, func(ctx context.Context, _ []byte, _ func(string)) error {
		select {
		case asking <- struct{}{}:
			defer func() { <-asking }()
			return s.Spare(ctx)
		default:
			return fmt.Errorf("%d others ask already: again in some seconds", questioners)
		}
	}))
}

func kindOf(err error) control.Kind {
	var refused *Refused
	var invalid *settings.Invalid
	switch {
	case errors.As(err, &refused):
		return control.Refused
	case errors.As(err, &invalid):
		return control.Invalid
	}
	return ""
}
