// Package history records what clients did to etcd while it was being
// mistreated, and checks that every answer fits one order of events: nothing
// that was acknowledged is lost, and nobody reads the past.
//
// [Start] lets clients put, get, delete, compare-and-swap and read ranges
// through every member until [History.Stop]. Keys come in groups, each in use
// for one epoch, by one client of each member. When an epoch is over and its
// last call has come back, its groups are checked with porcupine and
// forgotten, so a run may last for days; a violation is known within seconds.
//
// A write whose outcome a client does not know may happen at any later time,
// or never. The client then retires, another takes its place, and the write
// stays possible to the end of its group's history: this is why epochs are
// short. So it is also where a member says that the write may have been lost
// with its leader. Half of the clients then do what many callers do: they repeat
// it at once, which is a new operation. A read without an answer says nothing and is not recorded, nor is a
// call that never left the client.
package history
