package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/lab"
)

// says waits until the STATUS of host i holds all the texts, and returns the
// clauses that hold them, and when that was.
func (s *scene) says(i int, texts ...string) (string, time.Duration) {
	return s.saysAs(i, unit, texts...)
}

// saysAs is says of another unit on host i.
func (s *scene) saysAs(i int, unit string, texts ...string) (string, time.Duration) {
	var line string
	s.await(fmt.Sprintf("saying %q", texts), func() error {
		line = s.unitAs(i, unit).StatusText
		for _, text := range texts {
			if !strings.Contains(line, text) {
				return fmt.Errorf("%s says %q", s.host(i).Name, line)
			}
		}
		return nil
	})
	return clauses(line, texts), lab.Now()
}

// clauses are the state and those parts of a STATUS line that hold a text.
func clauses(line string, texts []string) string {
	var kept []string
	depth, from := 0, 0
	for at, r := range line + "; " {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ';' && depth <= 0:
			clause := strings.TrimSpace(line[from:min(at, len(line))])
			from = min(at+1, len(line))
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(clause, text) }) {
				kept = append(kept, clause)
			}
		}
	}
	if state, _, ok := strings.Cut(line, ": "); ok && len(kept) > 0 && !strings.HasPrefix(line, kept[0]) {
		kept[0] = state + ": … " + kept[0]
	}
	return strings.Join(kept, "; ")
}

func (s *scene) unit(i int) lab.Unit { return s.unitAs(i, unit) }

func (s *scene) unitAs(i int, unit string) lab.Unit {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	u, err := s.host(i).Unit(ctx, unit)
	s.must(err)
	return u
}

func (s *scene) status(i int) string { return s.unit(i).StatusText }

// shows waits until the daemon on host i counts id among its conditions, and
// returns what it says and when that was.
func (s *scene) shows(i int, id string) (string, time.Duration) {
	var said string
	s.await("showing "+id, func() error {
		out, err := s.host(i).Run(s.ctx, "etcd-node", "status", "-o", "json") // 1 while it does not serve
		var st status.Status
		if bad := json.Unmarshal([]byte(out), &st); bad != nil {
			return fmt.Errorf("%w: %w", bad, err)
		}
		for _, c := range st.AllConditions() {
			if c.ID == id {
				if said = c.Text; said == "" {
					said = st.Line()
				}
				return nil
			}
		}
		return fmt.Errorf("%s shows %v and says %s", s.host(i).Name, st.AllConditions(), st.Line())
	})
	return said, lab.Now()
}

// explained fails unless `etcd-node explain` explains id on host i, with these
// commands, which hold the node's own values.
func (s *scene) explained(i int, id string, commands ...string) string {
	return s.explainedAs(i, "etcd", id, commands...)
}

// explainedAs is explained of another unit on host i. It returns the explanation.
func (s *scene) explainedAs(i int, unit, id string, commands ...string) string {
	out := s.run(i, "env", "ETCD_NODE_UNIT="+unit, "etcd-node", "explain")
	prose := strings.Join(strings.Fields(out), " ") // unwrapped
	if want := id + ": " + failure.New(id, "").Cause; !strings.Contains(prose, want) {
		s.failf("etcd-node explain on %s does not explain %q, but\n%s", s.host(i).Name, want, out)
	}
	for _, want := range commands {
		if !strings.Contains(out, want) {
			s.failf("etcd-node explain on %s does not say %q, but\n%s", s.host(i).Name, want, out)
		}
	}
	return out
}

// ends waits until the unit on host i has ended for good, with code.
func (s *scene) ends(i, code int) {
	s.await("ended", func() error {
		if u := s.unit(i); u.ActiveState != "failed" || u.ExitStatus != code {
			return fmt.Errorf("%s: %v, want failed with %d", s.host(i).Name, u, code)
		}
		return nil
	})
}

// procs are the supervisor and the member on host i.
func (s *scene) procs(i int) (supervisor, member lab.Proc) {
	main := s.unit(i).MainPID
	all, err := s.host(i).Procs(unit)
	s.must(err)
	for _, p := range all {
		if p.Host == main {
			supervisor = p
		} else if len(p.Args) > 1 && p.Args[1] == "member" {
			member = p
		}
	}
	if supervisor.PID == 0 || member.PID == 0 {
		s.failf("%s: want a supervisor and a member, got %+v (main pid %d)", s.host(i).Name, all, main)
	}
	return supervisor, member
}

func containsAll(s string, texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// wait lets time pass: a fault that lasts.
func (s *scene) wait(d time.Duration) {
	select {
	case <-s.ctx.Done():
		s.must(s.ctx.Err())
	case <-time.After(d):
	}
}

// logged is the first line with this text that the unit's journal on host i
// has since the row began.
func (s *scene) logged(i int, text string) string {
	journal, err := s.host(i).Journal(s.ctx, unit, s.since)
	s.must(err)
	for line := range strings.Lines(journal) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	s.failf("the journal of %s has no line with %q", s.host(i).Name, text)
	return ""
}
