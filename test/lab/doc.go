// Package lab boots throw-away hosts with a real systemd on this machine and
// runs etcd-node on them the way an operator does.
//
// The hosts are made by the script lab beside this file, which works alone as
// well (see README.md). This package is its Go side: [Start] boots hosts that
// are gone as soon as this process is; a [Host] runs commands, loses its cable
// or its power; [Host.Unit] is what systemd thinks of a unit, [Host.Procs]
// what processes it has; [Lab.Dial] connects into the lab's network without
// this process leaving its own.
//
// Everything needs root. What the machine lacks is reported as [ErrCannot], so
// that a test can say it was skipped and why. All methods may be called from
// several goroutines.
package lab
