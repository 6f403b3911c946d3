// Package silence knows whether the host of a peer is still there, when nothing
// refuses and nothing closes: power loss, a kernel crash, a pulled cable.
//
// A kernel that lives acknowledges within a round trip, whatever its processes
// do. So a frozen or slow process is not silent, and a host that is gone is.
// Three layers:
//
// [Suspicion] is the evidence, as a function of what was seen: no clock, no
// connection. [Watch] lets one run over a line to a follower's leader: once the
// host has not been heard for a moment it asks something on the line, and it
// tells [Half] and [Whole] evidence. [Host] is the line and the kernel's own
// knowledge of all connections with that host (TCP_INFO).
//
// [Quorum] is the other side: the leader writes to all its followers anyway, so
// it needs no question to know that a quorum is silent.
//
// # What is evidence
//
// Something was asked, again and again, and after the limit nothing of it is
// acknowledged, nor has one packet come from the host on any other connection; a
// fresh connection, begun meanwhile, is unanswered; and a quorum of the others
// can be reached, for a member that reaches none is the one that is cut off.
// Time counts only while our own steps are on time. After a late one everything
// begins anew: it was perhaps us who were frozen.
package silence
