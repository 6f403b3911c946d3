package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// serveLimit is how long who asked for a renewal waits for the new member to serve:
// a large database takes a minute to be opened from a slow disk. After that the member
// goes on, and the status says with what.
const serveLimit = 5 * time.Minute

// Renewal is what a wish comes to.
type Renewal struct {
	Launch  Launch
	Changes []string // for the operator, one a line
	Notices []string // what is new of what the configuration has to say
	Restart bool     // the changes need another member process
	Level   string   // the log's, from now on, where no other process is needed
	// Use makes it what the daemon is about, Undo takes that back. The loop calls them.
	Use, Undo func()
}

// Renew does what a wish says, and tells say what it waits for. It returns nil once
// the member serves. Whatever else it returns, the member runs as before, unless the
// error says otherwise. One wish is served at a time.
//
// The end of ctx takes the wish back as long as the member has not begun to stop, and
// so does a later wish that is not to wait for a turn. Where no member runs it goes on.
func (s *Supervisor) Renew(ctx context.Context, w control.Wish, say func(string)) (err error) {
	defer func() {
		if w.DryRun {
			return
		}
		select {
		case s.outcomes <- outcome(err):
		case <-s.over:
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case s.renewing <- struct{}{}:
		defer func() { <-s.renewing }()
	default:
		if w.DryRun {
			return errors.New("a reload is under way here")
		}
		say("another reload is under way here: waiting for its end")
		if w.Force || w.NoTurn { // the one before may wait for a turn that nobody can give
			if overtaken := s.waiting.Load(); overtaken != nil {
				(*overtaken)()
			}
		}
		select {
		case s.renewing <- struct{}{}:
			defer func() { <-s.renewing }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.waiting.Store(&cancel)
	defer s.waiting.Store(nil)
	r, err := s.opts.Renew(ctx, w.Environ)
	if err != nil {
		return err
	}
	for _, c := range r.Changes {
		say(c)
	}
	for _, n := range r.Notices {
		say("notice: " + n)
	}
	if w.DryRun {
		return nil
	}
	if len(r.Changes) == 0 && !w.Restart {
		say(control.Unchanged)
		return nil
	}
	r.Restart = r.Restart || w.Restart
	said, done := make(chan string, 16), make(chan error, 1)
	job := &renewal{Renewal: r, wish: w, said: said, done: done}
	select {
	case s.renewals <- job:
	case <-s.over:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
	gone := ctx.Done()
	for {
		select {
		case text := <-said:
			say(text)
		case err := <-done:
			return err
		case <-s.over:
			return errEnding
		case <-gone:
			gone = nil
			select {
			case s.withdrawn <- job:
			case <-s.over:
				return errEnding
			}
		}
	}
}

var errEnding = errors.New("the daemon is ending")

// renewal is a wish that the loop serves. Its fields are the loop's.
type renewal struct {
	Renewal
	wish control.Wish
	said chan string // what it waits for; who does not listen misses it
	done chan error

	before *Launch   // what the member had run with; nil: nothing yet
	left   time.Time // the member before has begun to stop; zero: not yet
	begun  time.Time // the new member process; zero: not yet
}

func (r *renewal) say(text string) {
	select {
	case r.said <- text:
	default:
	}
}

// onRenewal begins to serve a wish.
func (s *Supervisor) onRenewal(r *renewal) {
	switch {
	case s.st.State == status.Stopping || s.final != nil:
		r.done <- errEnding
		return
	case s.renewal != nil: // who wished for it has gone, and the new member does not serve yet
		r.done <- errors.New("the member is being restarted already, for a reload before this one: try again when it serves")
		return
	case !r.Restart && s.st.State != status.Starting && s.launch != nil: // else a preparation goes on with what was before
		s.use(&r.Renewal)
		if s.child.running() && r.Level != "" {
			if err := s.child.Send(pipe.Message{Kind: pipe.Level, Text: r.Level}); err != nil {
				r.done <- fmt.Errorf("the member cannot be told: %w", err)
				return
			}
		}
		r.done <- nil
		return
	}
	s.renewal = r
	switch s.st.State {
	case status.Starting: // its preparation is of no use any more; onPrepared goes on
		s.preparation.cancel()
	case status.Backoff:
		s.retry = nil
		s.renew()
	default:
		how := pipe.Leaving{NoTurn: r.wish.NoTurn, Force: r.wish.Force}
		if err := s.child.Send(pipe.Message{Kind: pipe.Leave, Leaving: how}); err != nil {
			s.endRenewal(fmt.Errorf("the member cannot be told: %w", err))
		}
	}
}

// onWithdrawn takes a wish back, as long as that is possible. Who made it hears how
// it ended all the same.
func (s *Supervisor) onWithdrawn(r *renewal) {
	switch {
	case s.renewal != r:
	case s.child.running() && s.st.State != status.Restarting && r.begun.IsZero():
		_ = s.child.Send(pipe.Message{Kind: pipe.Stay}) // it answers
	default: // it goes on without him
		r.done <- context.Canceled
		r.done = make(chan error, 1)
	}
}

// onLeaving is what the member says about a leave that it was asked for.
func (s *Supervisor) onLeaving(m pipe.Message) {
	if s.renewal == nil || !s.renewal.begun.IsZero() {
		return
	}
	switch m.Kind {
	case pipe.Waiting:
		s.renewal.say(m.Text)
		s.st.Errand = s.renewal.wish.Word() + ": " + m.Text
	case pipe.Staying:
		s.endRenewal(&Refused{Why: m.Text})
	case pipe.Leaves:
		s.turn, s.renewal.left = m.Turn, time.Now()
		s.renewal.say("restarting the member")
		s.st.Errand = ""
		s.enter(status.Restarting, s.renewal.wish.Word())
		s.child.deadline = time.After(s.launch.StopTimeout)
	}
}

// Refused is the error of a wish that would cost the cluster its quorum, or whose turn
// does not come.
type Refused struct{ Why string }

func (e *Refused) Error() string { return e.Why }

// renew starts the member of a renewal.
func (s *Supervisor) renew() {
	r := s.renewal
	r.before, r.begun = s.launch, time.Now()
	s.use(&r.Renewal)
	s.policy.servingSince = time.Time{}
	s.start()
}

// use makes a renewal what the daemon is about.
func (s *Supervisor) use(r *Renewal) {
	if old := s.launch; old != nil && old.Values["data-dir"] == r.Launch.Values["data-dir"] {
		// What is known of the member here may not be on the disk yet.
		g := &r.Launch.Guard
		g.Pin, g.Damage, g.Unreadable = old.Guard.Pin, old.Guard.Damage, old.Guard.Unreadable
	}
	if r.Use != nil {
		r.Use()
	}
	s.take(&r.Launch)
}

// take makes a launch the one that counts.
func (s *Supervisor) take(l *Launch) {
	s.launch = l
	s.st.Values = l.Values
	if l.HangLimit > 0 {
		s.hang = newHangWatch(l.HangLimit)
	}
	if s.opts.SetLevel != nil && l.Level != "" {
		s.opts.SetLevel(l.Level)
	}
	s.look()
}

// renewed says that a member serves: that of a renewal, or of before it.
func (s *Supervisor) renewed() {
	if s.turn != 0 {
		// Else it ends by itself, and the others wait so long.
		_ = s.child.Send(pipe.Message{Kind: pipe.GiveBack, Turn: s.turn})
		s.turn = 0
	}
	if r := s.renewal; r != nil && !r.begun.IsZero() {
		s.endRenewal(nil)
	}
}

// goBack returns to what the member had run with before a renewal that has failed. It
// reports whether there was one to go back from.
func (s *Supervisor) goBack(f *failure.Failure) bool {
	r := s.renewal
	if r == nil || r.begun.IsZero() || r.before == nil {
		return false
	}
	if r.Undo != nil {
		r.Undo()
	}
	s.take(r.before)
	s.endRenewal(fmt.Errorf("the new member did not come up, and that of before is started again: %w", f))
	return true
}

// endRenewal tells who wished for it how it ended.
func (s *Supervisor) endRenewal(err error) {
	if s.renewal == nil {
		return
	}
	word := s.renewal.wish.Word()
	if err != nil {
		s.opts.Log.Warn(word+" failed", zap.Error(err))
	} else {
		s.opts.Log.Info(word+" done", zap.Strings("changes", s.renewal.Changes))
	}
	s.renewal.done <- err
	s.renewal, s.st.Errand = nil, ""
}

// tickRenewal lets go who has waited long enough.
func (s *Supervisor) tickRenewal(now time.Time) {
	if r := s.renewal; r != nil && !r.left.IsZero() && now.Sub(r.left) > serveLimit {
		s.endRenewal(fmt.Errorf("the new member does not serve after %s: %s", serveLimit, s.st.Line()))
	}
}
