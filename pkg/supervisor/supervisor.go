package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// Options is what a supervisor needs from the outside. All funcs are called
// from the loop, except Prepare, which runs in a goroutine of its own.
type Options struct {
	Log *zap.Logger

	// Notify sends one message to systemd, in bounded time, because the loop
	// waits for it; see [Notifier]. Nil means that no service manager waits.
	// Then any failure before the first Serving ends Run, as scripts and test
	// suites expect of etcd.
	Notify func(assignments ...string) error
	// Watchdog is systemd's WATCHDOG_USEC; 0 where there is none.
	Watchdog time.Duration

	// StartTimeout bounds the time to the first Serving; 0 = for ever.
	StartTimeout time.Duration

	// Prepare finds out what to launch. It may wait (for an address), says
	// with say what for, and ends with ctx. An error that is a
	// *failure.Failure is treated by its class, any other as permanent.
	Prepare func(ctx context.Context, say func(reason string)) (Launch, error)
	// Start starts the member process.
	Start func(Launch) (*Process, error)

	// Delay is how long to wait before the n-th attempt (from 0) since the
	// member last was healthy: [Delay], except in tests.
	Delay func(class failure.Class, n int) time.Duration
	// Force, when closed, ends a stop that takes its time.
	Force <-chan struct{}

	// HangLimit is for how long the member may be silent, counted in the
	// loop's own ticks of a second; 0: 10 s.
	HangLimit time.Duration
	// Record keeps an event in the flight recorder, Pin who lives here once
	// it serves. Neither may wait for a disk. Nil: they are not kept.
	Record func(recorder.Record)
	Pin    func(identity.Pin)
	// Conditions says what is wrong with this node besides its member, once a
	// second. Nil: nothing is known.
	Conditions func() []status.Condition
	// OOMKills counts the processes that the kernel has killed here for want
	// of memory. Nil, or false: it cannot be known.
	OOMKills func() (uint64, bool)
	// LastEnd is how the member ended under an earlier supervisor.
	LastEnd *status.End
}

// Launch is a member that is ready to be started.
type Launch struct {
	Args    []string          // etcd flags, no secrets among them
	Secrets map[string]string // etcd flag → value, sent over the pipe
	Values  map[string]string // this node's values for the next steps of a failure

	// Sent over the pipe too: etcd has no such flags.
	Election pipe.Election
	Guard    pipe.Guard

	ReadyAll    bool          // READY needs every voting member connected
	StopTimeout time.Duration // after which a member that was told to stop is killed
	Notices     []string
}

// Process is a member process. Its channels are read by the loop only.
type Process struct {
	PID      int
	Messages <-chan pipe.Message
	// Exited delivers once, after the last message.
	Exited <-chan Exit
	Send   func(pipe.Message) error
	Kill   func() // SIGKILL
	Quit   func() // SIGQUIT: a Go program writes its goroutines and ends
}

// Exit is the end of a member process.
type Exit struct {
	Failure *failure.Failure   // what the exit itself says; nil: there was no process
	Status  syscall.WaitStatus // 1 << 8 is exit status 1, 9 is SIGKILL
	Crash   string             // what the Go runtime wrote
	Lines   []string           // the log's last lines of level warn and above
}

// Supervisor keeps one member running. Make one with New, call Run once.
type Supervisor struct {
	opts   Options
	st     status.Status
	trace  []status.State
	line   string       // the status line as of the last event
	told   string       // the last one that systemd took
	logged status.State // last state logged

	standing string        // the status line of the last tick …
	stands   int           // … and for how many ticks before
	recorded string        // the last that is in the flight recorder
	changes  *rate.Limiter // of records within a state

	cancel   context.CancelFunc // of Prepare
	launch   *Launch
	proc     *Process
	messages <-chan pipe.Message
	exited   <-chan Exit
	prepared chan prepared
	reasons  chan string
	retry    <-chan time.Time // the next attempt is due
	killAt   <-chan time.Time // the stop has taken too long
	requests chan chan status.Status

	begun        time.Time
	served       bool             // Serving was reached once
	servingSince time.Time        // of this member process; zero while it does not serve
	attempts     int              // since the member last was healthy
	reported     *failure.Failure // what the member says it is about to end of
	final        *failure.Failure // ends Run once the member has stopped
	class        failure.Class    // of the last failure; "" once a start has got past it
	killed       bool             // this member process was sent SIGKILL
	oomKills     uint64           // of the kernel, before this member process
	silent       int              // own ticks since the member was last heard
	lastTick     time.Time
	lastExtend   time.Time
	notifyFailed bool
}

type prepared struct {
	launch Launch
	err    error
}

// New returns a supervisor that has not started anything.
func New(opts Options) *Supervisor {
	if opts.HangLimit == 0 {
		opts.HangLimit = defaultHangLimit
	}
	return &Supervisor{
		opts:     opts,
		st:       status.Status{Format: status.Format, PID: os.Getpid(), LastEnd: opts.LastEnd},
		changes:  rate.NewLimiter(rate.Every(time.Minute), changesKept),
		prepared: make(chan prepared, 1),
		reasons:  make(chan string),
		requests: make(chan chan status.Status),
	}
}

// Status returns the status as the loop sees it now. It is safe for
// concurrent use while Run runs; after that it returns false when ctx ends.
func (s *Supervisor) Status(ctx context.Context) (status.Status, bool) {
	answer := make(chan status.Status, 1)
	select {
	case s.requests <- answer:
		return <-answer, true
	case <-ctx.Done():
		return status.Status{}, false
	}
}

// Run keeps the member running until ctx ends, which stops it and returns nil,
// or until it fails for good, which returns a *failure.Failure.
func (s *Supervisor) Run(ctx context.Context) error {
	prepareCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.cancel = cancel
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	var watchdog <-chan time.Time
	if s.opts.Watchdog > 0 {
		w := time.NewTicker(s.opts.Watchdog / 2) // as sd_watchdog_enabled(3) advises
		defer w.Stop()
		watchdog = w.C
	}
	s.begun = time.Now()
	s.lastTick = s.begun
	s.enter(status.Starting, "finding this node's address and name")
	s.prepare(prepareCtx)
	s.onTick()

	stop, force := ctx.Done(), s.opts.Force
	for s.st.State != status.Stopped && s.st.State != status.Failed {
		select {
		case <-stop:
			stop = nil
			s.stop("told to stop")
		case <-force:
			force = nil
			if s.proc != nil {
				s.kill("told to stop again")
			}
		case p := <-s.prepared:
			s.onPrepared(prepareCtx, p)
		case reason := <-s.reasons:
			if s.st.State == status.Starting {
				s.st.Reason = reason
			}
		case m := <-s.messages:
			s.onMessage(m)
		case e := <-s.exited:
			s.onExit(e)
		case <-s.retry:
			s.retry = nil
			s.again(prepareCtx)
		case <-s.killAt:
			s.killAt = nil
			s.kill(s.lateness())
		case <-tick.C:
			s.onTick()
		case <-watchdog:
			s.notify("WATCHDOG=1") // earned: only this loop sends it
		case answer := <-s.requests:
			s.st.Goroutines = runtime.NumGoroutine()
			answer <- s.st
		}
		s.announce()
	}
	if s.st.State == status.Failed {
		return s.final
	}
	return nil
}

// prepare runs Prepare beside the loop; its result comes through s.prepared.
func (s *Supervisor) prepare(ctx context.Context) {
	go func() {
		launch, err := s.opts.Prepare(ctx, func(reason string) {
			select {
			case s.reasons <- reason:
			case <-ctx.Done():
			}
		})
		s.prepared <- prepared{launch, err}
	}()
}

func (s *Supervisor) onPrepared(ctx context.Context, p prepared) {
	switch {
	case s.st.State == status.Stopping: // the stop waited for Prepare to end
		s.enter(s.endState(), s.endReason())
	case p.err != nil:
		var f *failure.Failure
		if !errors.As(p.err, &f) {
			f = failure.New(failure.IDConfiguration, "")
			f.Cause = p.err.Error()
		}
		s.recordEnd(f, Exit{})
		s.ended(f)
	default:
		s.launch = &p.launch
		s.st.Notices, s.st.Values = p.launch.Notices, p.launch.Values
		s.start()
	}
}

// again makes the next attempt after a backoff.
func (s *Supervisor) again(ctx context.Context) {
	if s.launch == nil {
		s.enter(status.Starting, "finding this node's address and name")
		s.prepare(ctx)
		return
	}
	s.start()
}

// start starts the member process.
func (s *Supervisor) start() {
	s.st.View = status.View{}
	s.reported, s.silent = nil, 0
	s.oomKills, _ = s.countOOM()
	proc, err := s.opts.Start(*s.launch)
	if err != nil {
		f := failure.New(failure.IDCannotExecute, err.Error())
		s.recordEnd(f, Exit{})
		s.ended(f)
		return
	}
	s.proc, s.messages, s.exited = proc, proc.Messages, proc.Exited
	s.st.MemberPID = proc.PID
	s.opts.Log.Info("started the member process", zap.Int("pid", proc.PID), zap.Strings("args", s.launch.Args))
	if err := proc.Send(pipe.Message{Kind: pipe.Start, Secrets: s.launch.Secrets, Election: s.launch.Election, Guard: s.guard()}); err != nil {
		// It ended already; its exit says why.
		s.opts.Log.Warn("cannot speak to the member", zap.Error(err))
	}
	s.enter(status.Joining, "opening the data")
}

// onMessage folds what the member tells into the status.
func (s *Supervisor) onMessage(m pipe.Message) {
	s.silent = 0
	switch m.Kind {
	case pipe.View:
		if m.View == nil {
			return
		}
		s.st.View = *m.View
		if len(m.View.Members) > 0 {
			s.class = "" // the start has got past what ended the last one
		}
		s.maybeServing()
	case pipe.Failing:
		if m.Failure != nil && m.Failure.Exit != failure.ExitOK { // a failure never ends in success
			s.reported = m.Failure
		}
	}
}

// maybeServing enters Serving when the member is ready; announce then says
// READY=1. A member that has been told to stop is never ready.
func (s *Supervisor) maybeServing() {
	if s.st.State != status.Joining || !s.st.View.Ready {
		return
	}
	if s.launch.ReadyAll && !s.served && !s.st.View.AllConnected() {
		return
	}
	s.servingSince = time.Now()
	s.served = true
	s.endIsOver()
	s.enter(status.Serving, "")
	s.pin()
}

// kill kills the member. Its exit follows, unless the kernel cannot end it.
func (s *Supervisor) kill(why string) {
	s.opts.Log.Warn(why+": killing the member", zap.Int("pid", s.proc.PID))
	s.killed = true
	s.proc.Kill()
}

// onExit handles the end of the member process.
func (s *Supervisor) onExit(e Exit) {
	f := s.why(e)
	stopping := s.st.State == status.Stopping
	if !stopping || e.Status != 0 { // a stop that went well is no end
		s.recordEnd(f, e)
	}
	s.proc, s.messages, s.exited, s.killAt = nil, nil, nil, nil
	s.st.MemberPID, s.st.Killed, s.killed = 0, false, false
	if stopping {
		s.enter(s.endState(), s.endReason())
		return
	}
	s.ended(f)
}

// ended decides what follows a failure.
func (s *Supervisor) ended(f *failure.Failure) {
	f = f.Fill(s.valuesFor(f))
	s.keepEnd(f)
	if !s.servingSince.IsZero() && time.Since(s.servingSince) >= healthyAfter {
		s.attempts = 0
	}
	s.servingSince = time.Time{}
	s.class = f.Class
	over := f.Class == failure.Permanent || s.opts.Notify == nil && !s.served
	if !over && !s.served && time.Since(s.lastExtend) >= failingLimit {
		// `systemctl start` shall fail and show it. systemd begins another start.
		over, f.Exit = true, failure.ExitTimeout
	}
	if over {
		s.final = f
		s.enter(status.Failed, s.endReason())
		return
	}
	d := s.opts.Delay(f.Class, s.attempts)
	s.attempts++
	if s.launch != nil {
		s.st.Restarts++
	}
	if f.ID == failure.IDAddressGone {
		s.launch = nil // find the address again
	}
	s.enter(status.Backoff, fmt.Sprintf("%s; next attempt %s", f.Error(), in(d)))
	s.retry = time.After(d)
}

func in(d time.Duration) string {
	if d == 0 {
		return "now"
	}
	return "in " + d.Round(100*time.Millisecond).String()
}
