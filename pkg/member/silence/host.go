package silence

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// What a host is asked is in fact a question to its etcd, which logs nothing of
// it. It is put a byte at a time: each is acknowledged by the kernel, and costs
// the process no more than to read it, and nobody an answer.
const (
	question = "GET /version HTTP/1.1\r\nHost: etcd\r\n"
	more     = "X-Still-There: " // and then a dot each time
	end      = "\r\n\r\n"
	// pieces is after how many of them the question ends, and is answered. It is
	// more than a line lives to see in good times: a member renews it after four
	// seconds. Should it not be able to, the question does not grow for ever:
	// net/http reads for one as long as five minutes in etcd, and a megabyte.
	pieces = 100
)

// piece is the nth that is written on a line. The first question is whole: a
// server that is stopped waits for a connection on which none was yet, and ends
// one at once on which it waits for the next.
func piece(n int) string {
	switch n %= pieces; n {
	case 0:
		return question + "\r\n"
	case 1:
		return question + more
	case pieces - 1:
		return end
	default:
		return "."
	}
}

// Host is what the kernel knows of the connections with the host at the other
// end of a line. All but Resolve belongs to one goroutine.
//
// A peer URL says where a host is reached, and no more. Its own connections to us
// may come from elsewhere: it has another address beside a virtual one, two network
// cards, IPv4 and IPv6. So every connection is taken for one with this host that
// is not known to be with another member. It may hear too much: then a host that
// is gone is left to etcd's timer. It must not hear too little.
type Host struct {
	conns func() ([]peers.Conn, error) // with all peers
	line  net.Conn
	addr  netip.Addr
	asked int          // pieces of questions on this line
	with  []peers.Conn // connections that may be with this host
	loss  loss

	mu       sync.Mutex
	found    map[string][]netip.Addr // by peer URL
	at       []netip.Addr            // where the host is reached
	others   []netip.Addr            // where the other members are
	resolved bool                    // anew, and with is not
}

// NewHost returns a Host without a line. conns finds this process's connections
// with peers.
func NewHost(conns func() ([]peers.Conn, error)) *Host { return &Host{conns: conns} }

// On sets the line: a connection to the host's peer port.
func (h *Host) On(line net.Conn) {
	if h.line == line {
		return
	}
	addr := addrOf(line)
	if h.line, h.asked = line, 0; addr != h.addr {
		h.addr = addr
		h.Refresh()
	}
}

// Resolve looks up where the host is, whose peer URLs these are, and all other
// members, this one included. It may take long, and may run beside everything
// else. It reports whether all were found. A name that cannot be looked up now
// leads where it led, and where it never could, nobody is known to be there.
func (h *Host) Resolve(ctx context.Context, host []string, others [][]string) (all bool) {
	h.mu.Lock()
	before := h.found
	h.mu.Unlock()
	all = true
	found := map[string][]netip.Addr{}
	look := func(urls []string) (at []netip.Addr) {
		for _, u := range urls {
			now := addresses(ctx, []string{u})
			if len(now) == 0 {
				all, now = false, before[u]
			}
			found[u] = now
			at = append(at, now...)
		}
		return at
	}
	at, rest := look(host), []netip.Addr(nil)
	for _, urls := range others {
		rest = append(rest, look(urls)...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.found, h.at, h.others, h.resolved = found, at, rest, true
	return all
}

// reached reports whether the host is reached at an address.
func (h *Host) reached(at netip.Addr) bool { return at == h.addr || slices.Contains(h.at, at) }

// Ask writes something on the line that the host has to acknowledge.
func (h *Host) Ask() error {
	asks := []byte(piece(h.asked))
	h.asked++
	if tcp, ok := h.line.(*net.TCPConn); ok {
		return send(tcp, asks)
	}
	// The kernel takes it, unless its buffer is full.
	if err := h.line.SetWriteDeadline(time.Now().Add(step)); err != nil {
		return err
	}
	_, err := h.line.Write(asks)
	return errors.Join(err, h.line.SetWriteDeadline(time.Time{})) // else it would wake us up
}

// send writes what fits in the kernel's buffer at once.
func send(line *net.TCPConn, what []byte) error {
	raw, err := line.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Write(func(fd uintptr) bool {
		_, err = unix.Write(int(fd), what)
		return true
	})
	if errors.Is(err, unix.EAGAIN) { // a frozen process has left its buffer full, and with it ours: it acknowledges
		err = nil
	}
	return errors.Join(failed, err)
}

// Refresh finds the connections that may be with the host. Those that are not
// known do no harm: the host is asked more often than it had to be. Before the
// evidence can be whole they must be.
func (h *Host) Refresh() {
	all, err := h.conns()
	if err != nil {
		return // the minder of the connections complains
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.with, h.resolved = h.with[:0], false
	for _, c := range all {
		// Two members may share one address.
		if h.reached(c.Remote) || !slices.Contains(h.others, c.Remote) {
			h.with = append(h.with, c)
		}
	}
}

// changed reports whether others are to be listened to since Resolve.
func (h *Host) changed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.resolved
}

// Look is what the kernel says now; false where there is no line.
func (h *Host) Look() (l Look, ok bool) {
	if h.changed() {
		h.Refresh()
	}
	now := time.Now()
	info := infoOf(h.line)
	if info == nil {
		return Look{At: now}, false
	}
	l = Look{At: now, Acked: info.Unacked == 0 && info.Notsent_bytes == 0}
	l.add(now, info)
	line := l
	stand := h.with[:0]
	for i, c := range h.with {
		info, ok := c.Info()
		if !ok {
			continue
		}
		stand = append(stand, c)
		l.add(now, info)
		h.loss.count(c.ID(), info)
		if l.Acked && now.Sub(l.Heard) < Quiet/2 { // that is enough; it is the first to be looked at next
			at := len(stand) - 1
			stand[0], stand[at] = stand[at], stand[0]
			stand = append(stand, h.with[i+1:]...)
			break
		}
	}
	h.with = stand
	l.Trip, l.Again = line.Trip, line.Again // a stream into a cut cable has an ever longer pause
	h.loss.settle(now)
	l.Loss = h.loss.share()
	return l, true
}

// Abandon ends all connections with the host, where it is reached. What waits for
// an answer on them then learns that it will not come: etcd forwards the renewal
// of a lease, and the question how long it lasts, to the leader by HTTP, and waits
// there for the request timeout. Those from elsewhere may be another's.
func (h *Host) Abandon() {
	h.Refresh()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.with {
		if h.reached(c.Remote) {
			_ = c.End() // it has ended, or the minder of the connections complains
		}
	}
	h.with = nil
}

// netConn is a TLS connection.
type netConn interface{ NetConn() net.Conn }

// infoOf is what the kernel knows of a connection; nil if it has ended.
func infoOf(c net.Conn) (info *unix.TCPInfo) {
	if secure, ok := c.(netConn); ok {
		c = secure.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) {
		if got, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			info = got
		}
	})
	return info
}

func addrOf(c net.Conn) netip.Addr {
	if c == nil {
		return netip.Addr{}
	}
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// loss is the share of segments that had to be sent again, in the last minute or
// two.
type loss struct {
	last        map[uint64][2]uint32 // by connection: sent, and sent again
	sent, again float64
	settled     time.Time
}

// memory is after what time a loss counts half; few are those that are no rate
// yet.
const memory, few = time.Minute, 3

func (l *loss) count(conn uint64, info *unix.TCPInfo) {
	if l.last == nil {
		l.last = map[uint64][2]uint32{}
	}
	now := [2]uint32{info.Data_segs_out, info.Total_retrans}
	if before, ok := l.last[conn]; ok {
		l.sent += float64(now[0] - before[0])
		l.again += float64(now[1] - before[1])
	}
	l.last[conn] = now
}

// settle forgets what is long ago, and the connections with it.
func (l *loss) settle(now time.Time) {
	if now.Sub(l.settled) >= memory {
		l.sent, l.again, l.settled = l.sent/2, l.again/2, now
		clear(l.last)
	}
}

func (l *loss) share() float64 {
	if l.again < few || l.sent == 0 {
		return 0
	}
	return l.again / l.sent
}
