// Package adopt gives a member of stock etcd to etcd-node, and back. The data stays where
// it is, and the member who it was: what changes is the unit that runs it.
//
// [Find] reads the unit of the stock etcd as systemd does, and makes the env file with
// which etcd-node's own unit runs the same member: the settings that the old unit gives,
// without those that etcd-node finds by itself. [Plan.Differences] is the proof: what
// both would resolve to, setting by setting.
//
// [Plan.Do] carries it out, and keeps all that it replaces in a directory of root's
// own, from which [Undo] takes it back. Nothing is deleted.
package adopt
