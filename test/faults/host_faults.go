package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"github.com/etcd-node/etcd-node/test/lab"
)

// hostFaults are the rows that take a machine: power, network, disk, systemd.
func hostFaults() []fault {
	return slices.Concat(
		powerFaults, networkFaults, addressFaults, frozenFaults, fullFaults, diskFaults,
		mountFaults, lateFaults, fileFaults, arrivalFaults, unitFaults, procedures, peerFaults,
	)
}

// hosts are booted once, when the first row asks for them.
var hosts = sync.OnceValues(func() (*hostLab, error) {
	ctx := context.Background()
	// Two runs on one machine do not meet.
	l := &hostLab{name: fmt.Sprintf("faults%d", os.Getpid())}
	var err error
	if l.Lab, err = lab.Start(ctx, l.name, 3, os.Stderr); err != nil {
		if errors.Is(err, lab.ErrCannot) {
			err = skip(err.Error())
		}
		return nil, err
	}
	booted = l
	return l, errors.Join(l.Install(ctx), l.installStock(ctx))
})

var booted *hostLab

// hostLab is three hosts with etcd-node, and stock etcd's own programs.
type hostLab struct {
	*lab.Lab
	name string
}

// closeHosts ends the hosts, if there are any.
func closeHosts() error {
	if booted == nil {
		return nil
	}
	return booted.Close()
}

// installStock puts etcd, etcdctl and etcdutl of the same release on the hosts:
// the documented procedures are played with the programs that they name.
func (l *hostLab) installStock(ctx context.Context) error {
	root, err := lab.Root()
	if err != nil {
		return err
	}
	tree, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	for name, module := range map[string]string{"etcd": "server", "etcdctl": "etcdctl", "etcdutl": "etcdutl"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w",
			"-o", filepath.Join(tree, "usr/bin", name), "go.etcd.io/etcd/"+module+"/v3")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return l.Each(func(h *lab.Host) error { return h.Copy(ctx, tree, "/") })
}
