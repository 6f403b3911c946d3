// Package netdetect finds this machine's address and short host name.
//
// It answers one question: under which address and name does this machine take
// part in the cluster? The answer comes from what the operator set, from the
// cluster list, and from the kernel's tables of interfaces, addresses and
// routes. It is never a guess. Where two answers are possible netdetect refuses
// and says which variable settles it ([Refusal]); where the answer may still
// come (DHCP, DNS, an interface that is not there yet) it says what it waits
// for ([Pending]), and [Wait] looks again when the kernel reports a change.
//
// The address is the first of
//
//  1. what is set;
//  2. the address of this machine that stands in the initial cluster, IP
//     addresses before DNS names. DNS answers on loopback are ignored, with one
//     exception: a name that resolves to loopback only and is this machine's own
//     (Debian maps the host name to 127.0.1.1) says which entry is this
//     machine's. Where every entry is on loopback, so is this machine;
//  3. the usable address of ETCD_NODE_INTERFACE; of several interfaces, the
//     address that the kernel uses towards the listed peers; that of eth0, or of
//     the interface of the default route; IPv4 before IPv6 unless the cluster
//     lists only IPv6.
//
// The name is what is set, else that of the entry, else the short host name.
//
// With a cluster list an address must stand in it, so step 3 only serves the
// entry known by name, discovery, and a data dir that outranks the list.
// Otherwise the look is pending while the missing address may still appear: a
// name of the list does not resolve, or the named interface, eth0 or any
// interface that is up lacks an address of a family that the list uses. When
// nothing of this is outstanding, an address of the list may still come with an
// interface that is not there yet (a VPN, a virtual IP, a bond). Where a service
// manager waits it is waited for ([Patience.Absent]), and nothing listens on
// another address meanwhile; else the look is refused. A refusal is final (the
// unit stays down). So a doubt about time leads to waiting, and a doubt about
// identity to a refusal.
//
// With data the cluster knows this member by the address in the data, so that is
// taken where it is on this machine and nothing of the list is, and else waited
// for. Where the data does not tell, the same wait as without data comes first, so
// that a late second interface cannot change the address from start to start, but
// it ends with a warning and step 3.
//
// The machine comes in as a [Host], a struct of funcs, so that tests run on a
// table; [System] is the real one. Nothing here keeps state or writes anything.
package netdetect
