package election

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/pace"
)

// world is a simulated cluster: real raft, real Electors, and a network and
// disks that take their time. It lives in a synctest bubble. Each event happens
// under mu, at an instant of its own, so what a seed does is the same each time
// but for raft's own timers, which are random for raft's reasons.
type world struct {
	mu      sync.Mutex
	rand    *rand.Rand
	rules   rulebook
	timeout time.Duration // election
	nodes   []*simNode    // the learners last
	voting  int
	stopped bool
	elected map[uint64]int // term → elections begun
	faults  []string

	latency [][]time.Duration // from, to
	removed uint64            // the leader that was removed from the cluster
	loss    float64
	slow    time.Duration   // a write takes up to that long
	busy    time.Duration   // a member may do nothing for up to that long
	load    float64         // how likely there is a proposal in each tick
	cut     map[[2]int]bool // from may not connect to to's port
	events  int             // how many kinds there are
	away    map[int]bool    // the host is off, or its cable out
	excused map[int]bool    // it may have been given up for that

	activity *pace.Activity // all members' together
}

// simNode is one member. It keeps its storage when it dies.
type simNode struct {
	w       *world
	i       int
	id      uint64
	life    int // which one; even: dead
	storage *raft.MemoryStorage
	raw     *raft.RawNode
	log     *zap.Logger
	streams Streams
	busy    bool   // a write is running
	lead    uint64 // by the server's word
	chosen  chan struct{}
	began   uint64               // the last term in which it stood
	leads   bool                 // the lessor knows that it leads
	heard   map[uint64]time.Time // when each leader was heard last, in this life
	packets map[int]time.Time    // when the last packet came from each host
	frozen  time.Time            // until then it does nothing
	to      []link
	elector *Elector
	cancel  context.CancelFunc
	done    chan struct{}
	conns   map[net.Conn]int // accepted, from whom
}

// link is what a member knows of the connections with another.
type link struct {
	reads   bool      // the stream on which it hears the other
	writes  bool      // the one that the other opened
	closed  bool      // that one has been closed at the other end
	noticed int       // writes since
	first   time.Time // the first of them
	arrives time.Time // the last message to the other
}

func newWorld(seed uint64, rules rulebook) *world {
	w := &world{rand: rand.New(rand.NewPCG(seed, 1)), rules: rules, elected: map[uint64]int{}, cut: map[[2]int]bool{}, away: map[int]bool{}, excused: map[int]bool{}, events: allEvents}
	if seed%2 == 1 { // nobody uses it, but for what is proposed
		w.activity = new(pace.Activity)
	}
	voters, learners := 3+2*w.rand.IntN(3), w.rand.IntN(2)
	w.voting = voters
	base := time.Duration(math.Exp(w.between(math.Log(1e5), math.Log(3e8)))) // 0.1–300 ms
	longest := time.Duration(0)
	for i := range voters + learners {
		w.latency = append(w.latency, nil)
		for range voters + learners {
			d := time.Duration(float64(base) * w.between(0.3, 1))
			w.latency[i] = append(w.latency[i], d)
			longest = max(longest, d)
		}
	}
	// As etcd's guide wants it.
	w.timeout = max(time.Second, 20*longest).Round(10 * time.Millisecond)
	if w.rand.IntN(3) == 0 {
		w.loss = w.between(0, 0.03)
	}
	if w.rand.IntN(3) == 0 {
		w.busy = time.Duration(w.between(0, 2e8))
	}
	w.slow = time.Millisecond
	if w.rand.IntN(3) == 0 {
		w.slow = time.Duration(w.between(0, 5e8))
	}
	w.load = w.between(0, 1) * min(1, float64(w.timeout)/10/float64(w.slow)) // what the disk can bear
	conf := &raftpb.ConfState{}
	for i := range voters + learners {
		n := &simNode{w: w, i: i, id: uint64(i + 1), to: make([]link, voters+learners)}
		if i < voters {
			conf.Voters = append(conf.Voters, n.id)
		} else {
			conf.Learners = append(conf.Learners, n.id)
		}
		w.nodes = append(w.nodes, n)
	}
	for _, n := range w.nodes {
		n.storage = raft.NewMemoryStorage()
		n.storage.ApplySnapshot(&raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{Index: new(uint64(1)), Term: new(uint64(1)), ConfState: conf}})
		n.storage.SetHardState(&raftpb.HardState{Term: new(uint64(1)), Commit: new(uint64(1))})
	}
	return w
}

func (w *world) between(low, high float64) float64 { return low + w.rand.Float64()*(high-low) }

func (w *world) String() string {
	voters := len(w.voters())
	return fmt.Sprintf("%d voters, %d learners, round trip up to %v, election timeout %v, loss %.3f, disk up to %v, busy up to %v",
		voters, len(w.nodes)-voters, w.trip().Round(100*time.Microsecond), w.timeout, w.loss, w.slow.Round(time.Millisecond), w.busy.Round(time.Millisecond))
}

// trip is the longest round trip.
func (w *world) trip() (longest time.Duration) {
	for i := range w.nodes {
		for j := range w.nodes {
			longest = max(longest, w.latency[i][j]+w.latency[j][i])
		}
	}
	return longest
}

// voters are the voting members.
func (w *world) voters() []*simNode { return w.nodes[:w.voting] }

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf("at %v: ", time.Since(epoch))+fmt.Sprintf(format, args...))
}

// recorded is how long after the first start etcd records something.
const recorded = 100 * time.Millisecond

// epoch is when every bubble's time begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// after lets something happen later, at an instant of its own.
func (w *world) after(d time.Duration, happen func()) {
	time.AfterFunc(d+time.Duration(w.rand.IntN(1000)), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.stopped {
			happen()
		}
	})
}

// Life.

func (n *simNode) alive() bool { return n.life%2 == 1 }

// living is after for what ends with the process.
func (n *simNode) living(d time.Duration, happen func()) {
	life := n.life
	n.w.after(d, func() {
		if n.life == life {
			happen()
		}
	})
}

// start starts a member; w.mu is held.
func (n *simNode) start() {
	w := n.w
	n.life++
	n.streams, n.busy, n.lead, n.leads, n.chosen = NewStreams(), false, raft.None, false, make(chan struct{})
	n.heard, n.conns = map[uint64]time.Time{}, map[net.Conn]int{}
	n.packets, n.frozen = map[int]time.Time{}, time.Time{}
	w.away[n.i], w.excused[n.i] = false, false
	n.log = zap.New(zapcore.NewTee(simCore{n}, n.streams))
	raw, err := raft.NewRawNode(&raft.Config{
		ID: n.id, ElectionTick: 10, HeartbeatTick: 1, Storage: n.storage, MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 512,
		PreVote: true, CheckQuorum: true, Logger: etcdserver.NewRaftLoggerZap(n.log),
	})
	if err != nil {
		panic(err)
	}
	n.raw = raw
	n.tick()
	for j, other := range w.nodes {
		n.to[j] = link{}
		if j != n.i {
			n.dial(j, 0)
			other.dial(n.i, time.Duration(w.between(0, 1e8))) // rafthttp tries every 100 ms
		}
	}
	n.pump()
	n.elector = New(Options{
		Server: simServer{n, n.life}, Self: n.id, Streams: n.streams, Network: Network{
			Dial: n.connect, Silence: Silence{Limit: hostSilence, Host: func() Host { return &simHost{node: n} }},
		},
		Activity: w.activity, Timeout: w.timeout, Log: zap.New(simCore{n}), Changed: func() {}, Failover: true, Start: true,
	})
	n.elector.rules = w.rules
	ctx, cancel := context.WithCancel(context.Background())
	done, e := make(chan struct{}), n.elector
	n.cancel, n.done = cancel, done
	go func() { defer close(done); e.Run(ctx) }()
}

func (n *simNode) tick() {
	n.living(n.w.timeout/10, func() {
		if time.Now().Before(n.frozen) {
			n.tick()
			return
		}
		n.raw.Tick()
		if w := n.w; n.leads && w.rand.Float64() < w.load {
			_ = n.raw.Propose([]byte("x")) // refused by one that leads no more
		}
		n.pump()
		n.tick()
	})
}

// die ends a member's process; its kernel closes its connections, unless the
// power is lost. w.mu is held.
func (n *simNode) die(power bool) {
	w := n.w
	n.life++
	n.cancel()
	if power {
		return
	}
	for j, other := range w.nodes {
		if j != n.i {
			other.living(w.latency[n.i][j]+time.Duration(w.between(0, 2e6)), func() {
				other.lose(n.i)
				other.to[n.i].closed = true
			})
		}
	}
	for c, from := range n.conns {
		w.nodes[from].living(w.latency[n.i][from], func() { c.Close() })
	}
}

// lose ends the streams on which a member hears another.
func (n *simNode) lose(j int) {
	if n.to[j].reads {
		n.to[j].reads = false
		loseReaders(n.streams, n.w.nodes[j].id)
	}
}

// dial opens the streams on which a member hears another, sooner or later.
func (n *simNode) dial(j int, in time.Duration) {
	w, other := n.w, n.w.nodes[j]
	if !n.alive() {
		return
	}
	n.living(in+w.latency[n.i][j], func() {
		life := other.life
		if !other.alive() || w.cut[[2]int{n.i, j}] || !w.path(n.i, j) {
			n.living(w.latency[j][n.i]+100*time.Millisecond, func() { n.dial(j, 0) })
			return
		}
		back := &other.to[n.i]
		back.writes, back.closed, back.noticed = true, false, 0
		say(other.streams, msgEstablished, fieldWriter, writerProbed, n.id)
		n.living(w.latency[j][n.i], func() {
			if other.life == life && !w.cut[[2]int{n.i, j}] && w.path(n.i, j) {
				n.to[j].reads = true
				say(n.streams, msgEstablished, fieldReader, "stream Message", other.id)
				say(n.streams, msgEstablished, fieldReader, "stream MsgApp v2", other.id)
			} else {
				n.dial(j, 100*time.Millisecond)
			}
		})
	})
}

// connect is the elector's own way to a peer's port.
func (n *simNode) connect(ctx context.Context, address string) (net.Conn, error) {
	w := n.w
	host, _, _ := strings.Cut(address, ":")
	id, _ := strconv.Atoi(host)
	j := id - 1
	w.mu.Lock()
	there, back := w.latency[n.i][j], w.latency[j][n.i]
	w.mu.Unlock()
	if !sleep(ctx, there) {
		return nil, ctx.Err()
	}
	w.mu.Lock()
	if !w.path(n.i, j) {
		w.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var conn net.Conn
	if other := w.nodes[j]; other.alive() && !w.cut[[2]int{n.i, j}] && !w.stopped {
		ours, theirs := net.Pipe()
		conn = simLine{ours, j}
		other.conns[theirs] = n.i
		go other.serve(theirs, there, back)
	}
	w.mu.Unlock()
	if !sleep(ctx, back) {
		if conn != nil {
			conn.Close()
		}
		return nil, ctx.Err()
	}
	if conn == nil {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return conn, nil
}

// serve answers the question whether a member leads.
func (n *simNode) serve(c net.Conn, there, back time.Duration) {
	w := n.w
	w.mu.Lock()
	life := n.life
	w.mu.Unlock()
	defer c.Close()
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	time.Sleep(there)
	w.mu.Lock()
	says := lease.ErrNotPrimary.Error()
	if n.leads {
		says = lease.ErrLeaseNotFound.Error()
	}
	dead := n.life != life
	w.mu.Unlock()
	time.Sleep(back)
	if !dead {
		fmt.Fprintf(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(says), says)
	}
}

// sever ends the connections to to's port from from, and keeps it shut for a while.
func (w *world) sever(from, to int, shut time.Duration) {
	a, b := w.nodes[from], w.nodes[to]
	w.cut[[2]int{from, to}] = true
	a.living(w.latency[to][from], func() { a.lose(to) })
	b.living(w.latency[from][to], func() { b.to[from].closed = true })
	for c, f := range b.conns {
		if f == from {
			delete(b.conns, c)
			w.after(w.latency[to][from], func() { c.Close() })
		}
	}
	w.after(shut, func() {
		delete(w.cut, [2]int{from, to})
		a.dial(to, 0)
	})
}

// raft.

// pump does what etcd's raft loop does with what raft has ready.
func (n *simNode) pump() {
	w := n.w
	n.watch()
	if n.busy || !n.raw.HasReady() {
		return
	}
	rd := n.raw.Ready()
	n.busy = true
	if rd.SoftState != nil {
		chosen := rd.SoftState.Lead != raft.None && n.lead != rd.SoftState.Lead
		n.lead = rd.SoftState.Lead
		n.leads = n.leads && rd.RaftState == raft.StateLeader
		if chosen {
			close(n.chosen)
			n.chosen = make(chan struct{})
		}
	}
	leads := n.raw.BasicStatus().RaftState == raft.StateLeader
	if leads {
		n.send(rd.Messages)
	}
	write := time.Microsecond
	if rd.MustSync {
		write = time.Duration(w.between(0, float64(w.slow)))
	}
	n.living(write, func() {
		if !raft.IsEmptyHardState(rd.HardState) {
			n.storage.SetHardState(rd.HardState)
		}
		if !raft.IsEmptySnap(rd.Snapshot) {
			n.storage.ApplySnapshot(rd.Snapshot)
		}
		n.storage.Append(rd.Entries)
		if !leads {
			n.send(rd.Messages)
		}
		for _, e := range rd.CommittedEntries {
			if s := n.raw.BasicStatus(); len(e.GetData()) == 0 && e.GetTerm() == s.HardState.GetTerm() && s.RaftState == raft.StateLeader {
				n.leads = true
			}
		}
		n.raw.Advance(rd)
		n.busy = false
		n.pump()
	})
}

func (n *simNode) send(messages []*raftpb.Message) {
	w := n.w
	for _, m := range messages {
		j := int(m.GetTo()) - 1
		other, l := w.nodes[j], &n.to[j]
		delay := w.latency[n.i][j] + time.Duration(w.rand.ExpFloat64()*float64(w.latency[n.i][j])/20)
		switch {
		case l.writes && l.closed: // it is not yet known
			if l.noticed++; l.noticed == 1 {
				l.first = time.Now()
			}
			if trip := w.latency[n.i][j] + w.latency[j][n.i]; l.noticed > 3 && time.Since(l.first) > trip {
				l.writes = false
				loseWriter(n.streams, other.id)
			}
			continue
		case l.writes:
		case w.cut[[2]int{n.i, j}]:
			continue
		case !w.path(n.i, j):
			continue
		default: // rafthttp posts it
			delay += w.latency[n.i][j] + w.latency[j][n.i]
		}
		if w.rand.Float64() < w.loss || !w.path(n.i, j) {
			continue
		}
		arrives := time.Now().Add(delay)
		if !arrives.After(l.arrives) {
			arrives = l.arrives.Add(1)
		}
		l.arrives = arrives
		life := other.life
		w.after(time.Until(arrives), func() {
			if other.alive() && other.life == life && w.path(n.i, j) {
				other.packets[n.i] = time.Now()
				other.living(max(0, time.Until(other.frozen)), func() { other.receive(m) })
			}
		})
	}
}

func (n *simNode) receive(m *raftpb.Message) {
	switch m.GetType() {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		if m.GetTerm() >= n.raw.BasicStatus().HardState.GetTerm() {
			n.heard[m.GetFrom()] = time.Now()
		}
	}
	_ = n.raw.Step(m) // of a member that is not one any more
	n.pump()
}

// watch looks for elections that should not be.
func (n *simNode) watch() {
	w, s := n.w, n.raw.BasicStatus()
	term := s.HardState.GetTerm()
	if s.RaftState != raft.StateCandidate || term == n.began {
		return
	}
	n.began = term
	w.elected[term]++
	for _, l := range w.voters() {
		if l == n || !l.alive() || l.id == w.removed || w.excused[l.i] {
			continue
		}
		ls := l.raw.BasicStatus()
		if ls.RaftState != raft.StateLeader || ls.HardState.GetTerm() >= term {
			continue
		}
		hear := 1
		for _, v := range w.voters() {
			if v.alive() && v != n && time.Since(v.heard[l.id]) < w.timeout*8/10 && v.raw.BasicStatus().HardState.GetTerm() == ls.HardState.GetTerm() {
				hear++
			}
		}
		if hear > len(w.voters())/2 {
			w.fault("%d begins an election in term %d under %d, which leads in term %d and is heard by %d", n.id, term, l.id, ls.HardState.GetTerm(), hear)
		}
	}
}

// simServer is a member as its elector sees it, in one of its lives.
type simServer struct {
	*simNode
	of int
}

// hesitate is what a busy machine does.
func (s simServer) hesitate() {
	s.w.mu.Lock()
	pause := max(0, time.Until(s.frozen))
	if s.w.busy > 0 && s.w.rand.IntN(4) == 0 {
		pause += time.Duration(s.w.between(0, float64(s.w.busy)))
	}
	s.w.mu.Unlock()
	time.Sleep(pause)
}

func (s simServer) Process(_ context.Context, m *raftpb.Message) error {
	s.hesitate()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.life != s.of {
		return raft.ErrStopped
	}
	err := s.raw.Step(m)
	s.pump()
	return err
}

func (s simServer) LeaderChangedNotify() <-chan struct{} {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.chosen
}

func (s simServer) View() View {
	defer s.hesitate()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	v := View{Raft: s.raw.BasicStatus(), Recorded: time.Since(epoch) > recorded}
	v.LeaderRemoved = v.Raft.Lead != raft.None && v.Raft.Lead == s.w.removed
	for i, n := range s.w.nodes {
		v.Members = append(v.Members, Member{ID: n.id, Learner: i >= len(s.w.voters()), PeerURLs: []string{fmt.Sprintf("http://%d:2380", n.id)}})
	}
	return v
}

// simCore counts which rules decide, and prints what raft and the elector say if
// it is to.
type simCore struct{ n *simNode }

func (c simCore) Enabled(zapcore.Level) bool        { return true }
func (c simCore) With([]zapcore.Field) zapcore.Core { return c }
func (c simCore) Sync() error                       { return nil }
func (c simCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if *trace || e.Message == ruleMessage {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c simCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	if *trace {
		fmt.Println(time.Since(epoch), c.n.id, e.Message, m.Fields)
	}
	if e.Message == ruleMessage {
		rulesApplied.Store(m.Fields["rule"], true)
	}
	return nil
}
