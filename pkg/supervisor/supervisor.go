package supervisor

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// tickInterval is the loop's own clock.
const tickInterval = time.Second

// Supervisor keeps one member running. Make one with New, call Run once.
type Supervisor struct {
	opts      Options
	requests  chan chan status.Status
	renewing  chan struct{} // holds a token while a wish is served
	renewals  chan *renewal
	withdrawn chan *renewal
	questions chan question
	outcomes  chan string                        // of wishes
	waiting   atomic.Pointer[context.CancelFunc] // takes the wish back that is served
	moved     bell                               // when the status may be another
	over      chan struct{}                      // closed when Run has ended, and st stays as it is

	// The rest belongs to the loop.
	st    status.Status
	trace []status.State
	final *failure.Failure // what Run returns once the member has ended
	// forced: a member process has started with --force-new-cluster; no other may.
	forced bool

	preparation preparation
	launch      *Launch // nil: to be prepared
	child       child
	retry       <-chan time.Time // the next attempt is due
	renewal     *renewal         // nil: there is none
	turn        time.Duration    // to be given back, see [pipe.Message]; 0: none
	asked       uint64           // questions to members, so far
	unanswered  map[uint64]question
	handed      *status.Status // to the member, see handOn

	policy    policy
	hang      hangWatch
	announcer announcer
	history   history
}

// New returns a supervisor that has not started anything.
func New(opts Options) *Supervisor {
	return &Supervisor{
		opts:        opts,
		requests:    make(chan chan status.Status),
		renewing:    make(chan struct{}, 1),
		renewals:    make(chan *renewal),
		withdrawn:   make(chan *renewal),
		questions:   make(chan question),
		outcomes:    make(chan string),
		unanswered:  make(map[uint64]question),
		over:        make(chan struct{}),
		st:          status.Status{Format: status.Format, PID: os.Getpid(), Version: opts.Version, LastEnd: opts.LastEnd, Values: opts.Values},
		preparation: newPreparation(opts.Prepare),
		policy:      policy{managed: opts.Notify != nil, startTimeout: opts.StartTimeout, delay: opts.Delay},
		hang:        newHangWatch(opts.HangLimit),
		announcer:   announcer{log: opts.Log, likeEtcd: opts.LikeEtcd, send: opts.Notify},
		history:     newHistory(opts.Record),
	}
}

// Status returns the status as the loop sees it now. It is safe for
// concurrent use. Once Run has ended it is the last one; before Run it waits for that,
// and returns false when ctx ends.
func (s *Supervisor) Status(ctx context.Context) (status.Status, bool) {
	answer := make(chan status.Status, 1)
	select {
	case s.requests <- answer:
		return <-answer, true
	case <-s.over:
		return s.st, true
	case <-ctx.Done():
		return status.Status{}, false
	}
}

// Run keeps the member running until ctx ends, which stops it and returns nil,
// or until it fails for good, which returns a *failure.Failure.
func (s *Supervisor) Run(ctx context.Context) error {
	tick := pace.After(tickInterval)
	var watchdog <-chan time.Time
	if s.opts.Watchdog > 0 {
		w := time.NewTicker(s.opts.Watchdog / 2) // as sd_watchdog_enabled(3) advises
		defer w.Stop()
		watchdog = w.C
	}
	s.policy.begun = time.Now()
	s.prepare(ctx)
	s.onTick()

	stop, force := ctx.Done(), s.opts.Force
	for s.st.State != status.Stopped && s.st.State != status.Failed {
		select {
		case <-stop:
			stop = nil
			s.announcer.signalled(ctx)
			s.stop("told to stop")
		case <-force:
			force = nil
			s.kill("told to stop again")
		case p := <-s.preparation.results:
			s.onPrepared(p)
		case reason := <-s.preparation.reasons:
			s.onWaiting(reason)
		case m := <-s.child.Messages:
			s.onMessage(m)
		case e := <-s.child.Exited:
			s.onExit(e)
		case <-s.child.deadline:
			s.onDeadline()
		case <-s.retry:
			s.onRetry(ctx)
		case r := <-s.renewals:
			s.onRenewal(r)
		case r := <-s.withdrawn:
			s.onWithdrawn(r)
		case o := <-s.outcomes:
			s.onOutcome(o)
			continue
		case q := <-s.questions:
			s.onQuestion(q)
			continue
		case <-tick:
			tick = pace.After(tickInterval)
			s.onTick()
		case <-watchdog:
			s.announcer.notify("WATCHDOG=1") // earned: only this loop sends it
		case answer := <-s.requests:
			s.st.Goroutines = runtime.NumGoroutine()
			answer <- s.st
			continue // nothing has moved
		}
		s.announcer.announce(&s.st)
		s.moved.ring()
	}
	close(s.over)
	s.moved.ring()
	if s.final != nil {
		return s.final
	}
	return nil
}

// onMessage folds what the member tells into the status.
func (s *Supervisor) onMessage(m pipe.Message) {
	s.hang.heard()
	s.st.Silent = 0
	switch m.Kind {
	case pipe.View:
		if m.View == nil {
			return
		}
		s.st.View = *m.View
		s.forced = s.forced || m.View.Forced
		if len(m.View.Members) > 0 || waits(*m.View) {
			s.policy.progressed()
		}
		s.pin()
		if s.ready() {
			s.serve()
		}
	case pipe.Waiting, pipe.Staying, pipe.Leaves:
		s.onLeaving(m)
	case pipe.Answer:
		s.onAnswer(m)
	case pipe.Failing:
		if m.Failure != nil && m.Failure.Exit != failure.ExitOK { // a failure never ends in success
			s.child.reason = m.Failure
		}
	}
}

// waits reports whether a start waits for something that an entry explains, such
// as a disk or a lock: its progress says what, so that the condition has no text.
func waits(v status.View) bool {
	return v.Progress != "" && slices.ContainsFunc(v.Conditions, func(c status.Condition) bool { return c.Text == "" })
}

// ready reports whether a member that joins has begun to serve. A member that
// was told to stop is never ready.
func (s *Supervisor) ready() bool {
	switch {
	case s.st.State != status.Joining, !s.st.View.Ready:
		return false
	case s.launch.ReadyAll && !s.policy.served:
		return s.st.View.AllConnected()
	}
	return true
}

// serve enters Serving, which tells systemd READY=1 the first time.
func (s *Supervisor) serve() {
	s.policy.serving(time.Now())
	s.st.Counters.Start = time.Since(s.child.begun).Seconds()
	s.lastEndIsOver()
	s.enter(status.Serving, "")
	s.handOn()
	s.renewed()
	if text := s.launch.Greeting; text != "" {
		s.launch.Greeting = "" // once
		s.opts.Log.Info(text)
	}
}

// onTick does what is due by time: it keeps systemd waiting while waiting is
// right, ends a start that has taken too long, and looks for a member that does
// not beat.
func (s *Supervisor) onTick() {
	now := time.Now()
	if s.history.observe(s.st) {
		s.announcer.waits(&s.st)
	}

	// A killed process is gone in milliseconds; one that is not by the next
	// tick cannot be ended by the kernel.
	s.st.Killed = s.child.killed
	s.look()
	s.tickRenewal(now)
	s.handOn()
	if s.starting() {
		switch {
		case s.policy.overdue(now):
			s.failStart()
		case s.policy.extend(now):
			s.announcer.notify(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extendBy.Microseconds()))
		}
	}
	if s.hang.tick(now, s.child.running() && s.st.State != status.Stopping && s.st.State != status.Restarting) {
		s.onHang()
	}
	s.st.Silent = s.hang.silence()
}

// look takes over what is known of this node besides its member.
func (s *Supervisor) look() {
	if s.opts.Conditions != nil {
		s.st.Conditions = s.opts.Conditions()
	}
	if s.opts.Certificates != nil {
		s.st.Certificates = s.opts.Certificates()
	}
	if s.launch != nil {
		s.st.Found = s.launch.Found
		s.st.Notices = s.launch.Notices
		if s.opts.Notices != nil {
			s.st.Notices = slices.Concat(s.launch.Notices, s.opts.Notices())
		}
		if v := s.st.View.Version; v != "" && s.opts.Version != "" && v != s.opts.Version {
			s.st.Notices = append(slices.Clip(s.st.Notices), failure.ForUnit(fmt.Sprintf(
				"the member runs etcd-node %s, and this supervisor is that of %s until it is restarted: systemctl restart etcd", v, s.opts.Version), s.launch.Values))
		}
	}
}

// starting reports whether systemd still waits for READY=1.
func (s *Supervisor) starting() bool { return !s.policy.served && s.st.State != status.Stopping }
