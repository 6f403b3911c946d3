// Package roster holds the cluster list of the configuration against the
// members in the data, and says where the two differ.
//
// etcd reads the list at a first start only. From then on the data says who the
// members are and where they are dialed, in silence, whatever the list has
// become. So a list with new addresses, or with https in place of http, does
// nothing, or cuts this member off: it would listen where nobody dials.
// [Node.Compare] says so, and names the command; [Node.ListenAs] is where a
// member listens that follows its data.
//
// Nothing here reads a file or asks a peer; what lives at entries that are no
// members, [Node.Lives], comes from outside. The same comparison serves
// `etcd-node config`, the start, and the conditions of a running member.
package roster
