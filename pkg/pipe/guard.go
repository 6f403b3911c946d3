package pipe

import (
	"errors"
	"time"

	"github.com/etcd-node/etcd-node/pkg/identity"
)

// Guard is what the member needs to know to protect its data.
type Guard struct {
	// Pin names the member that lived here before; nil: none did.
	Pin *identity.Pin `json:"pin,omitempty"`
	// Damage says that there is a pin, but not one that can be understood;
	// Unreadable, that it cannot be known whether there is one.
	Damage     string `json:"damage,omitempty"`
	Unreadable string `json:"unreadable,omitempty"`
	// Forced: an earlier process of this daemon has started with --force-new-cluster.
	// ForcedBy says where that is set.
	Forced   bool   `json:"forced,omitempty"`
	ForcedBy string `json:"forcedBy,omitempty"`
	// Derived: the URLs on which the member listens for peers are not the
	// operator's own. So they follow the data, and cannot be meant otherwise.
	Derived bool `json:"derived,omitempty"`
	// Unconfigured: neither URLs nor a cluster list were given.
	Unconfigured bool `json:"unconfigured,omitempty"`
	// Patient: somebody waits for the start, and sees why it takes long.
	Patient bool `json:"patient,omitempty"`
	// BootstrapWait is how long a first start waits for a listed member that does
	// not answer; negative: without limit.
	BootstrapWait time.Duration `json:"bootstrapWait,omitempty"`
	// StateSource is where --initial-cluster-state was set; "" where it was not.
	StateSource string `json:"stateSource,omitempty"`
	// NameSource is where --name was set; "" where it was not.
	NameSource string `json:"nameSource,omitempty"`
	// Values are this node's, for the commands of failure.Steps.
	Values map[string]string `json:"values,omitempty"`
	// Reserve is the size of the disk reserve in bytes; 0 = none.
	Reserve int64 `json:"reserve,omitempty"`
}

// Read fills in what a store knows of the member that lived here before. The
// notice says what is wrong with that; "" where nothing is.
func (g *Guard) Read(s identity.Store) (notice string) {
	pin, ok, err := s.Load()
	if ok {
		g.Pin = &pin
	}
	switch {
	case err == nil:
		return ""
	case ok:
		return err.Error() + "; this version reads it as far as it knows it, and leaves it alone"
	case errors.Is(err, identity.ErrDamaged):
		g.Damage = err.Error()
		return err.Error() + "; a new one is written as soon as the member has stored something"
	default:
		g.Unreadable = err.Error()
		return err.Error()
	}
}
