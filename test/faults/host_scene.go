package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/steps"
)

const unit = "etcd.service"

// scene is three hosts on which etcd has never run, for the length of one row.
// Its methods are the steps of a row, and end it where they fail, as those of
// a test do: the rows then read as what happens.
type scene struct {
	*hostLab
	ctx   context.Context
	since string         // when the row began, for journalctl
	undo  []func() error // what the row changed in the machine, last first
	puts  int            // tried
	acked []string       // keys whose put was acknowledged
}

func (s *scene) must(err error)                   { steps.Must(err) }
func (s *scene) failf(format string, args ...any) { steps.Fail(format, args...) }

// onHosts makes a row's run of what is to be played.
func onHosts(play func(*scene) (seen string, took time.Duration)) func(context.Context) (string, time.Duration, error) {
	return func(ctx context.Context) (seen string, took time.Duration, err error) {
		l, err := hosts()
		if err != nil {
			return "", 0, err
		}
		s := &scene{hostLab: l, ctx: ctx}
		defer func() {
			for _, undo := range slices.Backward(s.undo) {
				if undone := undo(); undone != nil && err == nil {
					err = fmt.Errorf("tidy up: %w", undone)
				}
			}
		}()
		err = steps.Run(func() {
			s.each(s.reset)
			s.since = s.run(1, "date", "+%s.%N")
			seen, took = play(s)
		})
		if err != nil {
			s.describe()
		}
		return seen, took, err
	}
}

// later is run when the row is over, however it ends.
func (s *scene) later(undo func(ctx context.Context) error) {
	s.undo = append(s.undo, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patience)
		defer cancel()
		return undo(ctx)
	})
}

// reset makes a host as good as new; one that is off is booted.
func (s *scene) reset(h *lab.Host) error {
	if err := h.Heal(s.ctx); err != nil {
		return err
	}
	if _, err := h.Run(s.ctx, "true"); err != nil {
		if err := h.Boot(s.ctx); err != nil {
			return err
		}
	}
	_, err := h.Sh(s.ctx, `
		systemctl kill --signal=KILL etcd stock 2>/dev/null || true
		systemctl stop etcd stock 2>/dev/null || true
		systemctl reset-failed etcd 2>/dev/null || true
		rm -rf /var/lib/etcd /var/lib/etcd-node /var/log/etcd-node /var/lib/kept /etc/systemd/system/etcd.service.d
		systemctl daemon-reload
		[ -e /etc/default/etcd.installed ] || cp /etc/default/etcd /etc/default/etcd.installed
		cp /etc/default/etcd.installed /etc/default/etcd
		ip neigh flush nud permanent dev eth0
		ip address flush dev eth0 scope global
		ip address add `+h.IP+`/24 dev eth0`)
	return err
}

// describe prints what an operator would look at first.
func (s *scene) describe() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patience)
	defer cancel()
	for _, h := range s.Hosts {
		out, err := h.Sh(ctx, `
			systemctl --no-pager --full --lines=0 status etcd || true
			journalctl --no-pager --output=short-precise --unit=etcd --since=@`+strings.TrimSpace(s.since)+` | tail -60 || true
			etcd-node history -n 20 || true
			grep -v -e '^#' -e '^$' /etc/default/etcd || true
			ls -la /var/lib/etcd /var/lib/etcd/member || true
			df -h /var/lib/etcd || true
			ip -brief address`)
		fmt.Fprintf(os.Stderr, "---- %s ----\n%s%v\n", h.Name, out, err)
	}
}

func (s *scene) host(i int) *lab.Host { return s.Hosts[i-1] }

// each runs f for every host at once.
func (s *scene) each(f func(*lab.Host) error) { s.must(s.Each(f)) }

// run runs a command on host i and returns what it prints.
func (s *scene) run(i int, cmd ...string) string {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	out, err := s.host(i).Run(ctx, cmd...)
	s.must(err)
	return out
}

func (s *scene) sh(i int, script string) string { return s.run(i, "sh", "-ec", script) }

// env writes the same /etc/default/etcd to every host.
func (s *scene) env(lines ...string) {
	s.each(func(h *lab.Host) error {
		return h.Write(s.ctx, "/etc/default/etcd", strings.Join(lines, "\n")+"\n", 0o644)
	})
}

// start starts etcd on the hosts, and returns when systemd calls it active and
// it serves.
func (s *scene) start(hosts ...int) {
	errs := make(chan error, len(hosts))
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for _, i := range hosts {
		go func() {
			_, err := s.host(i).Run(ctx, "systemctl", "start", "etcd")
			errs <- err
		}()
	}
	for range hosts {
		s.must(<-errs)
	}
	for _, i := range hosts {
		s.await("serving", func() error { return s.reads(i) })
	}
}

// begin starts etcd where systemctl need not see it ready.
func (s *scene) begin(i int) time.Duration {
	from := lab.Now()
	s.run(i, "systemctl", "start", "--no-block", "etcd")
	return from
}

// three is a cluster of the three hosts that serves.
func (s *scene) three(settings ...string) {
	s.env(append(settings, "ETCD_INITIAL_CLUSTER="+s.initialCluster(s.Hosts...))...)
	s.start(1, 2, 3)
}

// single is a cluster of host 1 alone.
func (s *scene) single(settings ...string) {
	s.env(append(settings, "ETCD_INITIAL_CLUSTER="+s.initialCluster(s.host(1)))...)
	s.start(1)
}

func (s *scene) initialCluster(hosts ...*lab.Host) string {
	var entries []string
	for _, h := range hosts {
		entries = append(entries, h.Name+"=http://"+h.IP+":2380")
	}
	return strings.Join(entries, ",")
}

// await asks until there is no error.
func (s *scene) await(what string, ask func() error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			s.failf("not %s after %v: %w", what, patience, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// client is a client on host i itself, of its member alone: what it sees is the
// member, whatever the network is doing.
func (s *scene) client(i int) *clientv3.Client {
	c, err := newHostClient(s.host(i))
	s.must(err)
	return c
}
