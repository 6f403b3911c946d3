// Package etcdctl is etcd's own command line tools, etcdctl and etcdutl, of the
// version of the etcd inside. They are the real ones, made of etcd's packages;
// [Flags] adds what this node's configuration knows: where its member serves
// clients, and the certificates that it asks for.
//
// [Ctl] and [Utl] end the process where the tool fails, with the tool's own exit
// code. They belong to a process that does nothing else.
package etcdctl
