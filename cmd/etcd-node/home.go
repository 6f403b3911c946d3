package main

import (
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/identity"
)

// homeOf is the home of the unit that a command is about.
func homeOf(w world) unit.Home { return w.environ.HomeOfUnit() }

// pins is where a unit's pin is.
func pins(h unit.Home) identity.Store { return identity.Store{Dir: h.Pins} }
