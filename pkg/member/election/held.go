package election

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
)

const (
	// dialTimeout bounds one try to connect. What does not answer is no
	// evidence, so nothing hurries.
	dialTimeout = time.Second
	// settled is how long a connection must live for its end to be news: one
	// that ends sooner was accepted by the kernel for a process that is dying,
	// and the next is tried a moment later.
	settled = 100 * time.Millisecond
	// minRedial and maxRedial bound the pause before the next try, which
	// doubles: a listener is closed a millisecond or so after the connections
	// beside it, but a peer must not be hammered.
	minRedial, maxRedial = time.Millisecond, 30 * time.Second
	// maxSilent is the most where nobody answers: once the network is back the
	// leader may die at any time, and an attempt costs nobody anything.
	maxSilent = time.Second
)

// renewAfter is when an idle connection is replaced by a new one: etcd's peer
// server ends it when it has read nothing for --raft-read-timeout.
func renewAfter() time.Duration { return rafthttp.ConnReadTimeout * 4 / 5 }

// Network is how connections are made.
type Network struct {
	// Dial connects to a TCP address.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// TLS is for https peer URLs: raft's own client configuration.
	TLS *tls.Config
	// Silence is how long a host may acknowledge nothing; 0: that is not asked.
	Silence Silence
}

// event is what has happened to the connection to a peer.
type event struct {
	what  string
	asked time.Time // the question that the host has not acknowledged
}

var (
	held    = event{what: "held"}    // it stands
	broken  = event{what: "broken"}  // it has ended, and not by our renewal
	refused = event{what: "refused"} // a new one was refused after that
)

// hold keeps a connection to a peer in the background until release is called;
// what happens to it comes over the channel, and what its host does.
func (n Network) hold(ctx context.Context, urls func() []string, a around) (events <-chan event, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	told := make(chan event)
	tell := func(what event) {
		select {
		case told <- what:
		case <-ctx.Done():
		}
	}
	var running sync.WaitGroup
	held := new(line)
	running.Go(func() { n.keep(ctx, urls, held.set, tell) })
	running.Go(func() { n.listen(ctx, held, a, tell) })
	return told, func() { cancel(); running.Wait() }
}

// keep holds a connection to a peer at one of its URLs until ctx ends, and
// renews it quietly; use is called with each, and with nil where there is none.
// It tells when the connection stands, when it breaks, and when a new one is
// refused for the first time after that: a peer to which it never was connected
// does not refuse.
func (n Network) keep(ctx context.Context, urls func() []string, use func(net.Conn), tell func(event)) {
	var (
		conn  net.Conn
		pause = minRedial
		news  bool // a connection broke, and none was refused since
	)
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for ctx.Err() == nil {
		if conn == nil {
			next, err := n.connect(ctx, urls())
			if err == nil {
				conn = next
				use(conn)
				tell(held)
				continue
			}
			switch {
			case errors.Is(err, syscall.ECONNREFUSED):
				if news {
					news = false
					tell(refused)
				}
			case !errors.Is(err, syscall.ECONNRESET):
				pause = min(pause, maxSilent)
			}
		} else {
			lived, due := watch(ctx, conn)
			if due {
				// Should this fail, the old one still stands and will tell.
				if next, err := n.connect(ctx, urls()); err == nil {
					use(next)
					conn.Close()
					conn = next
				}
				continue
			}
			use(nil)
			conn.Close()
			conn, news = nil, true
			tell(broken)
			if lived >= settled {
				pause = minRedial
				continue
			}
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, maxRedial)
	}
}

// connect connects at the first URL that answers. The error is of the first
// one that did not, unless all refuse: then it is ECONNREFUSED.
func (n Network) connect(ctx context.Context, urls []string) (net.Conn, error) {
	refused := error(syscall.ECONNREFUSED)
	var other error
	for _, s := range urls {
		conn, err := n.open(ctx, s)
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, refused) && other == nil {
			other = err
		}
	}
	if other != nil {
		return nil, other
	}
	if len(urls) == 0 {
		return nil, errors.New("the peer has no URL")
	}
	return nil, refused
}

func (n Network) open(ctx context.Context, peerURL string) (net.Conn, error) {
	u, err := url.Parse(peerURL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("not a TCP URL: " + peerURL)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := n.Dial(ctx, u.Host)
	if err != nil || u.Scheme == "http" || n.TLS == nil {
		return conn, err
	}
	return n.secure(ctx, conn, u.Hostname())
}

// secure shakes hands. Without that the peer would log a rejected connection.
func (n Network) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	cfg := n.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		// That it was accepted is what matters here: it must not look refused.
		return nil, errors.New("TLS handshake: " + err.Error())
	}
	return secure, nil
}

// watch waits until conn ends, is due for renewal, or ctx ends; how long it
// lived from now on is the first result.
func watch(ctx context.Context, conn net.Conn) (lived time.Duration, due bool) {
	begun := time.Now()
	if err := conn.SetReadDeadline(begun.Add(renewAfter())); err != nil {
		return 0, false
	}
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })() //nolint:errcheck // it has ended, then
	var buf [1 << 9]byte                                                             // for the answer to what the host is asked
	for {
		_, err := conn.Read(buf[:])
		if err != nil { // whatever it says is of no interest
			var timeout net.Error
			return time.Since(begun), errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
