// Package control is the unix socket over which a daemon is asked: where it is, who
// may open it, and both its ends. It speaks HTTP, so that curl
// can be used, too:
//
//	curl --unix-socket /run/etcd/control.sock http://etcd-node/status
//
// [Listen] makes the socket in a directory, which decides who may come near it:
// the unit's RuntimeDirectory= lets in root, the service user and its group; the
// directory beside a member's data ([Beside]), where the daemon's records are then
// too, lets in the one user who runs the daemon. Whoever can open the socket may
// look; to change something ([Errand] behind [ForOwners]) takes root or the user of the
// daemon, as the kernel names who has connected.
//
// [Serve] bounds what a caller can cost the daemon, whatever he sends. It is not for
// the network: there is no other protection than the socket's own.
//
// A socket's path is limited to 107 bytes, and data directories lie deep:
// [Listen] and [Ask] reach a longer one by way of /proc/self/fd.
package control
