package election

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
)

// Silence is how the host of a leader is listened to.
type Silence struct {
	// Limit is as in [silence.Suspicion]; 0: nobody listens.
	Limit time.Duration
	// Host makes what the kernel knows of a leader's host, and Voters the same of
	// the other voters'.
	Host   func() Host
	Voters func() Voters
}

// Host is [silence.Host], but in tests.
type Host interface {
	On(line net.Conn)
	Look() (silence.Look, bool)
	Ask() error
	Refresh()
	Abandon()
	Resolve(ctx context.Context, host []string, others [][]string) bool
}

// Voters is [silence.Voters], but in tests.
type Voters interface {
	Resolve(ctx context.Context, urls map[uint64][]string)
	Refresh()
	Look() (time.Time, map[uint64]silence.Look)
}

const (
	hushed = "may be silent" // half of the limit has passed
	silent = "silent"
	heard  = "heard again"
)

// line is the connection that is held.
type line struct{ conn atomic.Pointer[net.Conn] }

func (l *line) set(c net.Conn) {
	if c == nil {
		l.conn.Store(nil)
		return
	}
	l.conn.Store(&c)
}

// knownAfter is how long it takes at most, where TCP needs no longer limit, until
// it is known that a host is silent.
func (s Silence) knownAfter() time.Duration {
	if s.Limit <= 0 {
		return 0
	}
	return silence.Quiet + max(s.Limit, silence.Least)
}

// around are the members around a leader.
type around struct {
	*Elector
	lead uint64
}

// mayAct reports whether this member has a vote.
func (a around) mayAct() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mayVote
}

// quorum reports whether this member reaches a quorum without the leader.
func (a around) quorum(ctx context.Context) bool {
	var others [][]string
	voters := 0
	a.mu.Lock()
	for _, m := range a.members {
		if !m.Learner {
			voters++
			if m.ID != a.opts.Self && m.ID != a.lead {
				others = append(others, m.PeerURLs)
			}
		}
	}
	a.mu.Unlock()
	return a.opts.Network.reaches(ctx, others, voters/2) // and this one
}

// resolve looks up where the members are, once and then seldom, until its context
// ends.
func (a around) resolve(ctx context.Context, host Host, away *atomic.Bool) {
	for {
		moved, lead, others := a.where()
		pause := resolvePause
		if !host.Resolve(ctx, lead, others) {
			pause = resolveAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		case <-time.After(pause):
		}
		for away.Load() { // it would be in vain
			if !sleep(ctx, time.Second) {
				return
			}
		}
	}
}

// where are the peer URLs of the leader and of all others, until moved is closed.
func (a around) where() (moved <-chan struct{}, lead []string, others [][]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.members {
		if m.ID == a.lead {
			lead = m.PeerURLs
		} else {
			others = append(others, m.PeerURLs)
		}
	}
	return a.moved, lead, others
}

// listen tells whether the host at the other end of the line is silent, until
// its context ends. If it was silent to the last, another leads now, and what
// still waits for the old one is let go.
func (n Network) listen(holding context.Context, held *line, a around, tell func(event)) {
	if n.Silence.Limit <= 0 || !sleep(holding, settling) {
		return
	}
	host, last := n.Silence.Host(), silence.None
	var closing sync.WaitGroup
	var away atomic.Bool // the network may be
	defer closing.Wait()
	closing.Go(func() { a.resolve(holding, host, &away) })
	defer func() {
		if last != silence.None {
			host.Abandon()
		}
	}()
	silence.Watch{
		Limit: n.Silence.Limit, Activity: a.opts.Activity,
		Look: func() (silence.Look, bool) {
			conn := held.conn.Load()
			if conn == nil || !a.mayAct() {
				return silence.Look{}, false
			}
			host.On(*conn)
			l, ok := host.Look()
			away.Store(ok && l.At.Sub(l.Heard) > silence.Quiet+silence.Least)
			return l, ok
		},
		Ask: host.Ask, Refresh: host.Refresh, Quorum: a.quorum,
		Dial: func(ctx context.Context) (answered bool, err error) {
			conn := held.conn.Load()
			if conn == nil {
				return false, net.ErrClosed
			}
			return n.fresh(ctx, *conn, func(c net.Conn) {
				closing.Go(func() { n.close(holding, *conn, c) })
			})
		},
		Tell: func(is silence.Evidence, asked time.Time) {
			last = is
			tell(event{map[silence.Evidence]string{silence.None: heard, silence.Half: hushed, silence.Whole: silent}[is], asked})
		},
	}.Run(holding)
}

// fresh asks for a connection to where a line leads: to the address, for a name
// would have to be looked up, and that may take long for other reasons.
func (n Network) fresh(ctx context.Context, line net.Conn, close func(net.Conn)) (answered bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := n.Dial(ctx, line.RemoteAddr().String())
	switch {
	case err == nil:
		close(conn)
		return true, nil
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return true, nil
	case ctx.Err() != nil, errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, syscall.EHOSTUNREACH):
		return false, nil
	default: // it is ours: no descriptor, no network
		return false, err
	}
}

// close ends a fresh connection to where a line leads, as the peer expects it.
func (n Network) close(ctx context.Context, line, fresh net.Conn) {
	defer fresh.Close()
	if secure, ok := line.(*tls.Conn); ok {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		host := secure.ConnectionState().ServerName
		if host == "" { // an IP address is not sent as a name
			host, _, _ = net.SplitHostPort(line.RemoteAddr().String())
		}
		if c, err := n.secure(ctx, fresh, host); err == nil {
			c.Close()
		}
	}
}

// reaches reports whether so many of these members can be connected to.
func (n Network) reaches(ctx context.Context, members [][]string, want int) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reached := make(chan bool, len(members))
	for _, urls := range members {
		go func() {
			conn, err := n.connect(ctx, urls)
			if err == nil {
				conn.Close()
			}
			reached <- err == nil
		}()
	}
	for range members {
		if want <= 0 {
			break
		}
		if <-reached {
			want--
		}
	}
	return want <= 0
}
