package supervisor

import (
	"context"
	"errors"

	"github.com/etcd-node/etcd-node/pkg/pipe"
)

// question is whether the cluster can spare the member.
type question struct{ answer chan<- error }

// Spare returns nil if the cluster keeps its quorum without this member, and else why
// it does not. It asks the other members, which takes up to 10 s if one is not in step.
func (s *Supervisor) Spare(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case s.questions <- question{answer}:
	case <-s.over:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-s.over:
		return errEnding
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Supervisor) onQuestion(q question) {
	if !s.child.running() {
		q.answer <- errors.New("no member runs here")
		return
	}
	s.asked++
	if err := s.child.Send(pipe.Message{Kind: pipe.Spare, ID: s.asked}); err != nil {
		q.answer <- err
		return
	}
	s.unanswered[s.asked] = q
}

func (s *Supervisor) onAnswer(m pipe.Message) {
	q, ok := s.unanswered[m.ID]
	if !ok {
		return
	}
	delete(s.unanswered, m.ID)
	var err error
	if m.Text != "" {
		err = &Refused{Why: m.Text}
	}
	q.answer <- err
}

// dropQuestions answers all that the member that has ended will not.
func (s *Supervisor) dropQuestions() {
	for id, q := range s.unanswered {
		delete(s.unanswered, id)
		q.answer <- errors.New("the member has ended")
	}
}
