package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/turn"
	"github.com/etcd-node/etcd-node/pkg/pace"
	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// beatInterval is how often the supervisor hears that the loop is alive.
const beatInterval = time.Second

// loop tells the supervisor that the member is alive and what it sees, until
// the member is to end, and returns the exit code. A loop that is silent for
// long is killed, so nothing here may wait for a disk, nor for a lock of etcd's,
// which a disk that hangs can hold.
func (m *member) loop(ctx context.Context) int {
	beat := pace.After(beatInterval)
	var (
		errs    <-chan error
		stopped <-chan struct{}
		ended   = make(chan *failure.Failure, 1)
	)
	for {
		seen := m.observer.last.Load()
		m.sendView(seen)
		if f := m.stuck(seen); f != nil {
			return m.fail(f)
		}
		select {
		case <-ctx.Done():
			m.report(failure.New(failure.IDSignalled, ""))
			m.stop()
			return failure.ExitFailure
		case c, ok := <-m.Commands:
			if !ok {
				// The supervisor is gone: ports and locks must be free before
				// its successor starts.
				return failure.ExitFailure
			}
			switch c.Kind {
			case pipe.Stop:
				m.stop()
				return failure.ExitOK
			case pipe.Leave:
				m.beginLeave(ctx, c.Leaving)
			case pipe.Stay:
				if m.leave.cancel != nil {
					m.leave.cancel()
				}
			case pipe.Spare:
				go m.answerSpare(ctx, c.ID)
			case pipe.GiveBack:
				go m.giveBack(ctx, turn.Turn{Until: c.Turn})
			case pipe.Node:
				if c.Node != nil {
					m.supervised.Store(c.Node)
				}
			case pipe.Level:
				m.setLevel(c.Text)
			}
		case l := <-m.leave.end:
			m.leave = leave{}
			if l.err != nil {
				_ = m.send(pipe.Message{Kind: pipe.Staying, Text: l.err.Error()})
				continue
			}
			if m.send(pipe.Message{Kind: pipe.Leaves, Turn: l.turn.Until}) != nil {
				go m.giveBack(ctx, l.turn) // nobody would know why it went
				continue
			}
			m.stop()
			return failure.ExitOK
		case r := <-m.started:
			if r.failed != nil {
				return m.fail(r.failed)
			}
			m.serverStarted(ctx, r)
			errs, stopped = r.etcd.Err(), r.etcd.Server.StopNotify()
		case err := <-errs:
			errs, stopped = nil, nil
			go func() { ended <- m.whyEnded(ctx, fmt.Sprint(err)) }()
		case <-stopped:
			errs, stopped = nil, nil
			go func() { ended <- m.whyEnded(ctx, "the etcd server stopped") }()
		case f := <-ended:
			return m.fail(f)
		case <-m.observer.published:
		case <-beat:
			beat = pace.After(beatInterval)
			_ = m.send(pipe.Message{Kind: pipe.Beat}) // the next one is a second away
		}
	}
}

// serverStarted begins all that works beside a server.
func (m *member) serverStarted(ctx context.Context, r result) {
	m.startedAt, m.dataConditions, m.forced = time.Now(), r.conditions, r.forced
	m.admittedAs = r.misplaced
	m.node, m.hadData = r.node, r.hadData
	m.listed.Store(&r.node)
	m.etcd.Store(r.etcd)
	m.observer.ask()
	go m.reserve.Run(ctx)
	go m.watchAuthorities(ctx)
	go m.resume(ctx, r.etcd.Server)
	m.elector.run(ctx, r.elector)
	if m.flight != nil {
		go m.flight.Run(ctx, served{r.etcd.Server, m}, m.log)
	}
	go m.awaitReady(ctx, r.etcd.Server)
}

// sendView sends the view if it has changed.
func (m *member) sendView(seen *observation) {
	v := m.view(seen, time.Now())
	if m.sentView != nil && m.sentView.Equal(v) {
		return
	}
	err := m.send(pipe.Message{Kind: pipe.View, View: &v})
	if errors.Is(err, pipe.ErrTooLong) {
		// The causes are what has no bound; who is missing matters more.
		short := v
		short.Members = slices.Clone(v.Members)
		for i := range short.Members {
			short.Members[i].Cause = ""
		}
		err = m.send(pipe.Message{Kind: pipe.View, View: &short})
	}
	if err == nil {
		m.sentView = &v // else it is sent again
		m.told.Store(&v)
	}
}

// send tells the supervisor. The loop goes on if it cannot: liveness does not
// depend on being heard, and if the supervisor is gone the lifeline says so.
func (m *member) send(msg pipe.Message) error {
	err := m.Events.Send(msg)
	if err != nil {
		m.log.Debug("cannot tell the supervisor", zap.Error(err))
	}
	return err
}
