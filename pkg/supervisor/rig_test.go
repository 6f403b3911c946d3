package supervisor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// rig is a supervisor in a synctest bubble with a member that does what the
// test says, and a systemd that writes down what it is told.
type rig struct {
	t      *testing.T
	s      *Supervisor
	cancel context.CancelFunc
	force  chan struct{}
	result chan error

	told    []string // datagrams, without WATCHDOG and EXTEND_TIMEOUT
	pings   []time.Time
	extends []time.Time
	starts  []time.Time
	procs   []*fakeProc
	onStart func(*fakeProc)
	records []recorder.Record
	pins    []identity.Pin
	oom     uint64
}

type fakeProc struct {
	messages chan pipe.Message
	exited   chan Exit
	received []pipe.Message
	killed   bool
	quit     bool   // was asked what it does
	dump     string // what it answers; "" nothing
	deaf     bool   // does not end when told to stop
}

// serve makes the member ready.
func (p *fakeProc) serve() { p.view(status.View{Name: "a", Ready: true, Leader: "a", Members: single}) }

var single = []status.Member{{Name: "a", Self: true, Connected: true}}

func (p *fakeProc) view(v status.View) { p.messages <- pipe.Message{Kind: pipe.View, View: &v} }

func (p *fakeProc) end(e Exit) { p.exited <- e }

// ended is an exit that says no more than f.
func ended(f *failure.Failure) Exit { return Exit{Failure: f, Status: 1 << 8} }

// fail ends the member the way the real one does: reason first.
func (p *fakeProc) fail(f *failure.Failure) {
	p.messages <- pipe.Message{Kind: pipe.Failing, Failure: f}
	p.exited <- Exit{Failure: failure.New(failure.IDEnded, ""), Status: 1 << 8}
}

func killed() Exit { return Exit{Failure: failure.FromExit(9, ""), Status: 9} }

// run starts a supervisor; change edits its options first.
func run(t *testing.T, change func(*Options, *rig)) *rig {
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{t: t, cancel: cancel, force: make(chan struct{}), result: make(chan error, 1)}
	o := Options{
		Log:      zap.NewNop(),
		Delay:    func(class failure.Class, n int) time.Duration { return delay(class, n, 0.5) },
		Force:    r.force,
		Record:   func(x recorder.Record) { r.records = append(r.records, x) },
		Pin:      func(p identity.Pin) { r.pins = append(r.pins, p) },
		OOMKills: func() (uint64, bool) { return r.oom, true },
		Notify: func(assignments ...string) error {
			state := strings.Join(assignments, "\n")
			switch {
			case strings.HasPrefix(state, "WATCHDOG=1"):
				r.pings = append(r.pings, time.Now())
			case strings.HasPrefix(state, "EXTEND_TIMEOUT_USEC=30000000"):
				r.extends = append(r.extends, time.Now())
			default:
				r.told = append(r.told, state)
			}
			return nil
		},
		Prepare: func(context.Context, func(string)) (Launch, error) {
			return Launch{StopTimeout: 3 * time.Second, Values: map[string]string{"name": "a"}}, nil
		},
		Start: func(Launch) (*Process, error) {
			p := &fakeProc{messages: make(chan pipe.Message), exited: make(chan Exit, 1)}
			r.procs = append(r.procs, p)
			r.starts = append(r.starts, time.Now())
			if r.onStart != nil {
				r.onStart(p)
			}
			return &Process{
				PID: 100 + len(r.procs), Messages: p.messages, Exited: p.exited,
				Send: func(m pipe.Message) error {
					p.received = append(p.received, m)
					if m.Kind == pipe.Stop && !p.deaf {
						p.exited <- Exit{Failure: failure.FromExit(0, "")}
					}
					return nil
				},
				Quit: func() {
					if p.quit = true; p.dump != "" {
						p.exited <- Exit{Failure: failure.New(failure.IDEnded, ""), Status: 2 << 8, Crash: p.dump}
					}
				},
				Kill: func() {
					if !p.killed {
						p.killed = true
						p.exited <- killed()
					}
				},
			}, nil
		},
	}
	if change != nil {
		change(&o, r)
	}
	r.s = New(o)
	go func() { r.result <- r.s.Run(ctx) }()
	synctest.Wait()
	return r
}

func (r *rig) proc() *fakeProc { return r.procs[len(r.procs)-1] }

// beat keeps the member alive for d.
func (r *rig) beat(d time.Duration) {
	for range int(d / time.Second) {
		r.pass(time.Second)
		r.proc().messages <- pipe.Message{Kind: pipe.Beat}
	}
	synctest.Wait()
}

// pass lets d go by, and what is due by then happen.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

// stop stops the supervisor and returns Run's result.
func (r *rig) stop() error {
	r.cancel()
	return <-r.result
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.told, want) {
		r.t.Errorf("systemd was told\n  %s\nwant\n  %s", strings.Join(r.told, "\n  "), strings.Join(want, "\n  "))
	}
}

func (r *rig) wantTrace(want ...status.State) {
	r.t.Helper()
	if !slices.Equal(r.s.trace, want) {
		r.t.Errorf("states %v, want %v", r.s.trace, want)
	}
}
