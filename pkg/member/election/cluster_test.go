package election

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// process describes a member process of these tests: the real etcd, embedded,
// with or without an Elector.
type process struct {
	Name, Dir, Cluster, State string
	Peer, Advertise, Client   string
	Heartbeat, Election       uint
	Stock                     bool // no Elector
	// Write is how long the disk takes to write; 0: it is not asked to.
	Write time.Duration
}

const roleVar = "ELECTION_TEST_MEMBER"

// TestMain makes the test binary a member process when it is told so: a leader
// that dies must die as a process does.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		var p process
		if err := json.Unmarshal([]byte(role), &p); err != nil {
			panic(err)
		}
		p.run()
	}
	os.Exit(m.Run())
}

func (p process) run() {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster, cfg.ClusterState = p.Name, p.Dir, p.Cluster, p.State
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = parse(p.Peer), parse(p.Advertise)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = parse(p.Client), parse(p.Client)
	cfg.TickMs, cfg.ElectionMs = p.Heartbeat, p.Election
	cfg.UnsafeNoFsync = p.Write == 0 // the machine's disk is not under test
	streams := NewStreams()
	production := zap.NewProductionConfig()
	production.Sampling = nil
	log, err := production.Build()
	if err != nil {
		panic(err)
	}
	production.Level = zap.NewAtomicLevelAt(zap.DebugLevel)
	debug, err := production.Build()
	if err != nil {
		panic(err)
	}
	log = log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, streams) }))
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		panic(err)
	}
	if !p.Stock {
		go New(Options{
			Server: Embedded(e.Server), Self: uint64(e.Server.MemberID()), Streams: streams,
			Network: Network{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", addr)
			}},
			Timeout: time.Duration(p.Election) * time.Millisecond,
			Log:     debug, Changed: func() {}, Failover: true, Start: true,
		}).Run(context.Background())
	}
	<-e.Err()
	os.Exit(1)
}

func parse(s string) []url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return []url.URL{*u}
}

// node is a running member process, behind a proxy for its peer port.
type node struct {
	process
	t      *testing.T
	cmd    *exec.Cmd
	proxy  *proxy
	client *clientv3.Client
}

// newNode reserves ports; heartbeat and election are in milliseconds.
func newNode(t *testing.T, name string, heartbeat, election uint) *node {
	t.Helper()
	n := &node{t: t, process: process{
		Name: name, Dir: filepath.Join(t.TempDir(), name), State: "new",
		Peer: "http://" + loopback.Address(), Client: "http://" + loopback.Address(), Heartbeat: heartbeat, Election: election,
	}}
	n.proxy = newProxy(t, strings.TrimPrefix(n.Peer, "http://"))
	n.Advertise = "http://" + n.proxy.addr
	return n
}

// newCluster starts members of one cluster and waits until all serve.
func newCluster(t *testing.T, heartbeat, election uint, names ...string) []*node {
	t.Helper()
	return newSlowCluster(t, 0, heartbeat, election, names...)
}

// newSlowCluster is the same with a disk that takes so long for each write.
func newSlowCluster(t *testing.T, write time.Duration, heartbeat, election uint, names ...string) []*node {
	t.Helper()
	var nodes []*node
	var list []string
	for _, name := range names {
		n := newNode(t, name, heartbeat, election)
		n.Stock, n.Write = strings.HasPrefix(name, "stock"), write
		nodes = append(nodes, n)
		list = append(list, name+"="+n.Advertise)
	}
	for _, n := range nodes {
		n.Cluster = strings.Join(list, ",")
		n.start()
	}
	for _, n := range nodes {
		n.serves()
	}
	return nodes
}

func (n *node) start() {
	n.t.Helper()
	role, err := json.Marshal(n.process)
	if err != nil {
		n.t.Fatal(err)
	}
	log, err := os.OpenFile(n.Dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(os.Args[0])
	if n.Write > 0 {
		// -D: the member is our child, and strace is its.
		cmd = exec.Command("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync",
			"-e", fmt.Sprintf("inject=fdatasync:delay_enter=%d", n.Write.Microseconds()), os.Args[0])
	}
	cmd.Env = append(os.Environ(), roleVar+"="+string(role))
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.cmd = cmd
	if n.client == nil {
		n.client, err = clientv3.New(clientv3.Config{Endpoints: []string{n.Client}, Logger: zap.NewNop()})
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() {
			n.client.Close()
			n.kill()
			if n.t.Failed() {
				log, _ := os.ReadFile(n.Dir + ".log")
				n.t.Logf("log of %s:\n%s", n.Name, log)
			}
		})
	}
}

func (n *node) kill() {
	_ = n.cmd.Process.Kill() // an error means it has ended
	_ = n.cmd.Wait()
}

// serves waits until the member answers a linearizable read.
func (n *node) serves() {
	n.t.Helper()
	until(n.t, n.Name+" to serve", func() bool {
		ctx, cancel := context.WithTimeout(n.t.Context(), time.Second)
		defer cancel()
		_, err := n.client.Get(ctx, "k")
		return err == nil
	})
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// view is what the member itself says: its ID, its leader's, and raft's term.
func (n *node) view() (id, leader, term uint64, ok bool) {
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Second)
	defer cancel()
	s, err := n.client.Status(ctx, n.Client)
	if err != nil {
		return 0, 0, 0, false
	}
	return s.Header.MemberId, s.Leader, s.RaftTerm, true
}

// roles waits for a leader that all follow.
func roles(t *testing.T, nodes ...*node) (leader *node, followers []*node, term uint64) {
	t.Helper()
	until(t, "one leader", func() bool {
		leader, followers = nil, nil
		var known uint64
		for _, n := range nodes {
			id, lead, at, ok := n.view()
			if !ok || lead == 0 || known != 0 && lead != known {
				return false
			}
			known, term = lead, at
			if id == lead {
				leader = n
			} else {
				followers = append(followers, n)
			}
		}
		return leader != nil
	})
	return leader, followers, term
}

// hold waits until all hold a connection to the leader: its end is evidence.
func hold(leader *node, followers ...*node) {
	leader.t.Helper()
	id, _, _, _ := leader.view()
	for _, n := range followers {
		until(leader.t, n.Name+" to hold a connection to the leader", func() bool { return n.connection(id) == held })
	}
}

// connection is what the member said last of its connection to the leader.
func (n *node) connection(leader uint64) (last event) {
	n.t.Helper()
	log, err := os.ReadFile(n.Dir + ".log")
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		var said struct {
			Msg, Leader, Is string
		}
		if strings.Contains(line, "the connection to the leader") && json.Unmarshal([]byte(line), &said) == nil && said.Leader == hex(leader) {
			last = event{what: said.Is}
		}
	}
	return last
}

// questions are how often this member has asked for votes, as raft logs it.
func (n *node) questions() int {
	n.t.Helper()
	log, err := os.ReadFile(n.Dir + ".log")
	if err != nil {
		n.t.Fatal(err)
	}
	return strings.Count(string(log), "is starting a new election at term")
}

// counter reads one of this package's counters from the member's /metrics.
func (n *node) counter(name string) (value int) {
	n.t.Helper()
	resp, err := http.Get(n.Client + "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(body), "\netcd_node_election_"+name+" ")
	if !ok {
		n.t.Fatalf("%s is not among %s's metrics", name, n.Name)
	}
	if _, err := fmt.Sscan(rest, &value); err != nil {
		n.t.Fatal(err)
	}
	return value
}

// proxy is what stands in front of a peer port: a DNAT, a load balancer.
type proxy struct {
	t      *testing.T
	addr   string
	target string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{t: t, addr: loopback.Address(), target: target}
	err := p.listen()
	for tries := 0; errors.Is(err, syscall.EADDRINUSE) && tries < 3; tries++ { // what an earlier test has left may come back
		p.addr = loopback.Address()
		err = p.listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.cut)
	return p
}

func (p *proxy) open() {
	p.t.Helper()
	if err := p.listen(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) listen() error {
	cfg := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}
	l, err := cfg.Listen(context.Background(), "tcp", p.addr)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d, err := net.Dial("tcp", p.target)
			if err != nil {
				// A real DNAT would pass the refusal on; nobody asks in these tests
				// whether a dead member's proxy lives.
				c.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, c, d)
			p.mu.Unlock()
			go pass(c, d)
			go pass(d, c)
		}
	}()
	return nil
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

// drop ends all connections through the proxy.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// cut ends them, and refuses new ones until open.
func (p *proxy) cut() {
	p.mu.Lock()
	p.listener.Close()
	p.mu.Unlock()
	p.drop()
}

// kill ends the member as SIGKILL on its host would: with a proxy in between,
// the proxy has to pass on what the kernel says.
func kill9(n *node) {
	n.kill()
	n.proxy.cut()
}
