// Package reference makes docs/configuration.md and deploy/systemd/etcd.default
// from the tables of the settings. It is not linked into the program.
package reference

//go:generate go test -run=^TestGenerated$ -update .
