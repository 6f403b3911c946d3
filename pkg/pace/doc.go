// Package pace says when to look at what nothing announces.
//
// To look costs little, to wake up for it costs much: on a virtual machine a
// process that sleeps takes 0.1 to 0.2 ms of a processor to run for a microsecond,
// as much as etcd's own heartbeat. So all that is looked at now and then is looked
// at in the same moment ([After]), and what must be known quickly because somebody
// waits for it is looked at seldom while nobody does ([Activity]).
package pace
