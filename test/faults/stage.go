package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
	"github.com/etcd-node/etcd-node/test/steps"
)

// product is the binary that the rows are played with: a copy, so that a build
// beside them changes nothing, where other users can execute it.
type product struct{ dir, binary string }

func install(root string) (*product, error) {
	raw, err := os.ReadFile(filepath.Join(root, "bin/etcd-node"))
	if err != nil {
		return nil, fmt.Errorf("%w (first: make build)", err)
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, err
	}
	p := &product{dir, filepath.Join(dir, "etcd-node")}
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.binary, raw, 0o755)
}

func (p *product) remove() { _ = os.RemoveAll(p.dir) }

// stage is what one row of processes on loopback is played on. Like a test it
// gives up by must, wherever it is; all it started ends with it.
type stage struct {
	*product
	ctx    context.Context
	dir    string
	locals []*local
	undo   []func()
	acked  []string // keys whose put was acknowledged; each has itself as value
}

// on makes a row's run of what is to be played: f returns what the product said
// and how long it took.
func (p *product) on(f func(s *stage) (seen string, took time.Duration)) func(context.Context) (string, time.Duration, error) {
	return func(ctx context.Context) (seen string, took time.Duration, err error) {
		dir, err := os.MkdirTemp(p.dir, "")
		if err != nil {
			return "", 0, err
		}
		s := &stage{product: p, ctx: ctx, dir: dir}
		defer s.close()
		err = steps.Run(func() {
			s.must(os.Chmod(dir, 0o711))
			seen, took = f(s)
		})
		if err != nil {
			s.describe()
		}
		return seen, took, err
	}
}

// must and fail end the row.
func (s *stage) must(err error)                  { steps.Must(err) }
func (s *stage) fail(format string, args ...any) { steps.Fail(format, args...) }

func (s *stage) close() {
	for _, n := range s.locals {
		n.Kill()
	}
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i]()
	}
	_ = os.RemoveAll(s.dir) // goes with the product's directory otherwise
}

// describe shows what the daemons said before it went wrong.
func (s *stage) describe() {
	for _, n := range s.locals {
		lines := n.Lines()
		fmt.Fprintf(os.Stderr, "%s, last log lines:\n%s\n", n.Name, strings.Join(lines[max(0, len(lines)-15):], "\n"))
		for _, x := range n.Notes() {
			fmt.Fprintf(os.Stderr, "  %s %s\n", x.At.Format("05.000"), x.Text)
		}
	}
}

// eventually asks until there is no error.
func (s *stage) eventually(ask func() error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	s.must(poll.Until(ctx, 100*time.Millisecond, ask))
}

// cluster are new nodes that have never run, with one list of members.
func (s *stage) cluster(names ...string) []*local {
	var nodes []*local
	var members []*loopback.Member
	for _, name := range names {
		n := s.local(name)
		nodes, members = append(nodes, n), append(members, &n.Member)
	}
	loopback.Unite(members...)
	return nodes
}

// single is a cluster of one that serves, with an acknowledged write.
func (s *stage) single() *local { return s.serving("a") }

func (s *stage) serving(name string) *local {
	n := s.cluster(name)[0]
	n.up()
	n.put()
	return n
}

// used is the same, stopped: the data is there.
func (s *stage) used() *local {
	n := s.single()
	n.stop()
	return n
}

// three is a cluster of three that serves, with an acknowledged write.
func (s *stage) three() (a, b, c *local) {
	nodes := s.cluster("a", "b", "c")
	for _, n := range nodes {
		n.start()
	}
	for _, n := range nodes {
		n.until("connected to all", func(st status.Status) bool {
			return st.State == status.Serving && st.View.AllConnected() && len(st.View.Members) == 3
		})
	}
	nodes[0].put()
	nodes[1].kept()
	nodes[2].kept() // each has it
	return nodes[0], nodes[1], nodes[2]
}

// leads is the leader among nodes, and the others.
func (s *stage) leads(nodes ...*local) (leader *local, followers []*local) {
	st, _ := nodes[0].until("under a leader", func(st status.Status) bool { return st.View.Leader != "" })
	for _, n := range nodes {
		if n.Name == st.View.Leader {
			leader = n
		} else {
			followers = append(followers, n)
		}
	}
	return leader, followers
}
