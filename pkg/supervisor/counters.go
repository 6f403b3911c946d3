package supervisor

import (
	"context"
	"errors"
	"maps"
	"reflect"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// counted adds to one of the counters. Others may read the status that was given to
// them, so the map is another one each time.
func counted[K comparable, V int | float64](all *map[K]V, key K, by V) {
	m := maps.Clone(*all)
	if m == nil {
		m = make(map[K]V)
	}
	m[key] += by
	*all = m
}

// outcome is how a wish ended; "" for one that was taken back.
func outcome(err error) string {
	var refused *Refused
	var invalid *settings.Invalid
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &invalid):
		return "invalid"
	}
	return "failed"
}

// onOutcome counts how a wish ended.
func (s *Supervisor) onOutcome(outcome string) {
	if outcome != "" {
		counted(&s.st.Counters.Reloads, outcome, 1)
	}
}

// known is what the supervisor knows and its member does not.
func (s *Supervisor) known() *status.Status {
	return &status.Status{
		State: s.st.State, Since: s.st.Since, Version: s.st.Version, Counters: s.st.Counters,
		Conditions: s.st.Conditions, Certificates: s.st.Certificates,
	}
}

// handOn tells the member what is known, for its metrics, if that is something new. A
// member that is not told is told with the next tick.
func (s *Supervisor) handOn() {
	if s.st.State != status.Serving && s.st.State != status.Joining {
		return
	}
	if now := s.known(); !reflect.DeepEqual(now, s.handed) && s.child.Send(pipe.Message{Kind: pipe.Node, Node: now}) == nil {
		s.handed = now
	}
}
