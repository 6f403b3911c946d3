// Package control is the unix socket over which a daemon is asked: where it is,
// who may open it, and both its ends.
//
// [Listen] makes the socket in a directory, which decides who may come near it:
// the unit's RuntimeDirectory= lets in root, the service user and its group; the
// directory beside a member's data ([Beside]), where the daemon's records are then
// too, lets in the one user who runs the daemon. Whoever opens the socket is told
// the status and can do nothing: the server reads nothing, and asks nobody who he
// is. The socket's mode is all that stands at the door, and it lets in a group that
// may only look: so nothing that changes something belongs here.
//
// A socket's path is limited to 107 bytes, and data directories lie deep:
// [Listen] and [Ask] reach a longer one by way of /proc/self/fd.
package control
