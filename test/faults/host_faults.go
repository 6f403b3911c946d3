package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/etcd-node/etcd-node/test/lab"
)

// hostFaults are the rows that take a machine: power, network, disk, systemd.
func hostFaults() []fault {
	return slices.Concat(
		powerFaults, networkFaults, addressFaults, frozenFaults, fullFaults, diskFaults,
		mountFaults, lateFaults, copyFaults, fileFaults, arrivalFaults, secondFaults, clusterFaults, unitFaults, procedures, peerFaults,
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
	return l, errors.Join(l.Install(ctx), l.InstallStock(ctx))
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
