package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Ports tell which of this process's connections are those with peers.
type Ports struct {
	Listen []uint64 // ours, which peers dial
	Peers  []uint64 // theirs, which we dial
}

// rtoMax caps the pause between two tries to deliver what was sent; the
// smallest cap there is. It needs Linux 6.15.
const rtoMax = time.Second

// Bound makes the kernel end a connection whose other end has been gone for
// about limit, in whole seconds: in the last three fifths of that time it asks
// three times for a sign of life. A frozen process gives one, because its
// kernel answers. Where this kernel can, the pauses between retransmissions are
// capped too.
func Bound(p Ports, limit time.Duration) error {
	const asked = 3
	every := max(1, int(limit.Seconds())/5)
	idle := max(1, int(limit.Seconds())-asked*every)
	return p.each(anyEstablished, func(fd int, _ *unix.TCPInfo) error {
		// An older kernel does not know this one, and the rest does without.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_RTO_MAX_MS, int(rtoMax.Milliseconds()))
		return errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, idle),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, every),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, asked),
		)
	})
}

// Abandon ends the connections on which nothing of what was sent has been
// acknowledged for limit, and returns how many. It costs a look at the table
// of the machine's connections, 1 ms for a thousand. A slow peer acknowledges;
// so does one that is frozen or has no room, as in the middle of a snapshot,
// which TCP_USER_TIMEOUT would end.
func Abandon(p Ports, limit time.Duration) (ended int, err error) {
	err = p.each(unacknowledged, func(fd int, info *unix.TCPInfo) error {
		if info.Unacked == 0 || info.Retransmits == 0 || time.Duration(info.Last_ack_recv)*time.Millisecond < limit {
			return nil
		}
		ended++
		return unix.Shutdown(fd, unix.SHUT_RDWR)
	})
	return ended, err
}

// Hurry ends the attempts to connect that have not been answered for a second
// or more, and returns how many: etcd then dials again, instead of waiting for
// the kernel's next try, up to seconds away. A message that waits for such an
// attempt is lost, as it is when the attempt times out.
func Hurry(p Ports) (ended int, err error) {
	err = p.each(dialing, func(fd int, info *unix.TCPInfo) error {
		if info.Retransmits == 0 {
			return nil
		}
		ended++
		return unix.Shutdown(fd, unix.SHUT_RDWR)
	})
	return ended, err
}

// States of a connection, as in Linux's include/net/tcp_states.h.
const (
	stateEstablished = 1
	stateSynSent     = 2
)

// kind says which connections to look at.
type kind struct {
	state uint8
	waits bool // only those with data sent that is not acknowledged
}

var (
	anyEstablished = kind{state: stateEstablished}
	unacknowledged = kind{state: stateEstablished, waits: true}
	dialing        = kind{state: stateSynSent}
)

// each calls do for every connection of a kind with a peer, with a descriptor
// that stays that connection's for as long as do runs. Connections that end
// meanwhile are left out.
func (p Ports) each(of kind, do func(fd int, info *unix.TCPInfo) error) error {
	conns, err := p.find(of)
	if err != nil {
		return fmt.Errorf("look for the connections with peers: %w", err)
	}
	var errs []error
	for _, c := range conns {
		errs = append(errs, hold(c.fd, c.inode, of, do))
	}
	return errors.Join(errs...)
}

// Conn is one of this process's connections with a peer, whoever owns it.
type Conn struct {
	Remote netip.Addr // the peer's address
	fd     int
	inode  uint64
}

// Conns are the connections with peers that stand now. To find them costs a look
// at the table of the machine's connections, 1 ms for a thousand.
func (p Ports) Conns() ([]Conn, error) { return p.find(anyEstablished) }

// ID sets a connection apart from all others of this machine, also later ones.
func (c Conn) ID() uint64 { return c.inode }

// Info is what the kernel knows of the connection, which takes a few
// microseconds; false if it is not the same connection any more, or has ended.
func (c Conn) Info() (*unix.TCPInfo, bool) {
	info, err := unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	// Its owner may have closed it, and the number be another's. If it is the same
	// now, it was the same before: what is closed does not come back.
	return info, err == nil && c.same() && info.State == stateEstablished
}

// End ends the connection, as if the peer had.
func (c Conn) End() error {
	return hold(c.fd, c.inode, anyEstablished, func(fd int, _ *unix.TCPInfo) error { return unix.Shutdown(fd, unix.SHUT_RDWR) })
}

func (c Conn) same() bool {
	var st unix.Stat_t
	return unix.Fstat(c.fd, &st) == nil && st.Ino == c.inode
}

func (p Ports) find(of kind) (conns []Conn, err error) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	v4, err := proc.NetTCP()
	v6, err6 := proc.NetTCP6()
	if err != nil && err6 != nil { // one alone may be turned off
		return nil, err
	}
	ours := map[uint64]netip.Addr{} // by inode
	for _, s := range append(v4, procfs.NetTCP(v6)...) {
		if s.St == uint64(of.state) && (!of.waits || s.TxQueue > 0) && (slices.Contains(p.Listen, s.LocalPort) || slices.Contains(p.Peers, s.RemPort)) {
			remote, _ := netip.AddrFromSlice(s.RemAddr)
			ours[s.Inode] = remote.Unmap()
		}
	}
	if len(ours) == 0 {
		return nil, nil
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		inode, ok := socket(e.Name())
		if remote, is := ours[inode]; err == nil && ok && is {
			conns = append(conns, Conn{remote, fd, inode})
		}
	}
	return conns, nil
}

// socket is the inode of a descriptor of this process, where it is a socket.
func socket(fd string) (uint64, bool) {
	target, err := os.Readlink("/proc/self/fd/" + fd)
	if err != nil {
		return 0, false
	}
	number, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
	return inode, err == nil
}

// hold calls do with a copy of a descriptor, if that is still the same
// connection: its owner may close it at any time, and the number may be a
// client's connection at once.
func hold(fd int, inode uint64, of kind, do func(fd int, info *unix.TCPInfo) error) error {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil //nolint:nilerr // closed since
	}
	defer unix.Close(dup)
	info, err := unix.GetsockoptTCPInfo(dup, unix.IPPROTO_TCP, unix.TCP_INFO)
	if now, ok := socket(strconv.Itoa(dup)); err != nil || !ok || now != inode || info.State != of.state {
		return nil //nolint:nilerr // closed since
	}
	if err := do(dup, info); err != nil && !errors.Is(err, unix.ENOTCONN) {
		return fmt.Errorf("a connection with a peer: %w", err)
	}
	return nil
}
