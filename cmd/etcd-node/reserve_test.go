package main

import (
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
)

// TestReserveLimits: the configuration takes the reserves that the member can
// keep. Neither package imports the other.
func TestReserveLimits(t *testing.T) {
	if config.MinReserve != disk.Min {
		t.Errorf("ETCD_NODE_DISK_RESERVE is at least %d bytes, and a reserve at least %d", config.MinReserve, disk.Min)
	}
}
