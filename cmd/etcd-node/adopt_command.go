package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/adopt"
	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func adoptCommand(n *thisnode.Node) *cobra.Command {
	var write, undo, force bool
	c := &cobra.Command{
		Use:   "adopt [UNIT]",
		Short: "take over the member of another etcd on this machine",
		Long: `Reads the unit of another etcd (etcd.service, or the one that is named, or the file of
one), its drop-ins and its env files, and prints the env file with which etcd-node runs
the same member, whether all settings come out the same, and the steps. It changes
nothing.

With --write it does it: it keeps what it replaces in ` + adopt.Kept + `, stops
the other etcd, writes /etc/default/etcd, moves the other unit aside, and starts
etcd-node on the same data: the same member of the same cluster. Take one machine after
the other. --undo puts everything back, and starts the other etcd again; it also takes
back what was interrupted.

It takes over data of etcd 3.6 and 3.7. When all members are etcd 3.7 the cluster's
version goes to 3.7, and the way back to 3.6 is etcdctl downgrade.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			say := func(text string) { fmt.Fprintln(out, shown.Text(text)) }
			if undo {
				if write || len(args) > 0 {
					return errors.New("--undo stands alone")
				}
				ready := func() error {
					if err := spared(c.Context(), n); err != nil && !force {
						return fmt.Errorf("the other members are needed while this one is down:\n%w\nto go on all the same: --force", err)
					}
					return nil
				}
				defer toTheEnd(c.ErrOrStderr())()
				started, err := adopt.Undo(c.Context(), storageVersion(c.Context(), n), ready, say)
				if err == nil && started != "" {
					err = active(c.Context(), started)
				}
				switch {
				case err != nil:
					return coded{fmt.Errorf("undo: %w", err), failure.ExitFailure}
				case started == "":
					say("undo: done; nothing was started, for nothing ran")
				default:
					say("undo: done; systemctl status " + started)
				}
				return nil
			}
			if err := adopt.Interrupted(); err != nil {
				return coded{err, failure.ExitFailure}
			}
			plan, err := adopt.Find(c.Context(), strings.Join(args, ""), func(ctx context.Context, u unit.File, in config.Input) (*settings.Resolved, error) {
				return n.ResolveUnit(ctx, u, in)
			})
			if errors.Is(err, adopt.ErrNothing) {
				return coded{err, failure.ExitFailure}
			} else if err != nil {
				return coded{err, failure.ExitConfig}
			}
			m, err := plan.Look(c.Context())
			printPlan(out, plan, m)
			if err == nil {
				err = plan.Refused()
			}
			if err != nil {
				return coded{fmt.Errorf("this cannot be taken over:\n%w", err), failure.ExitFailure}
			}
			if !write {
				say("nothing was changed; to do it: etcd-node adopt " + strings.Join(append(quoted(args), "--write"), " "))
				return nil
			}
			ready := func() error {
				if err := plan.Others(c.Context(), m); err != nil && !force {
					return fmt.Errorf("the other members are needed while this one is down:\n%w\nto go on all the same: --force", err)
				}
				return nil
			}
			interruptible := toTheEnd(c.ErrOrStderr())
			dir, started, err := plan.Do(c.Context(), m, time.Now(), ready, say)
			interruptible()
			switch {
			case err != nil && dir == "":
				return coded{err, failure.ExitFailure}
			case err != nil:
				return coded{fmt.Errorf("%w\nto put everything back: etcd-node adopt --undo", err), failure.ExitFailure}
			case !started:
				say("adopt: done; the other etcd did not run, and nothing was started: systemctl start etcd")
				return nil
			}
			return adopted(c.Context(), out, m)
		},
	}
	c.Flags().BoolVar(&write, "write", false, "do it: write the env file, and start etcd-node in the place of the other etcd")
	c.Flags().BoolVar(&undo, "undo", false, "put back what the last adoption on this machine has replaced")
	c.Flags().BoolVar(&force, "force", false, "with --write or --undo: also where another member does not answer")
	return c
}

// toTheEnd keeps the keys of a terminal, and its end, from stopping halfway what takes
// seconds, and says so; the func that it returns ends that.
func toTheEnd(complaints io.Writer) (interruptible func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
				fmt.Fprintln(complaints, "etcd-node: it is not stopped halfway: some seconds more; then etcd-node adopt --undo takes it back")
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
	})
}

// storageVersion is that of the member that runs; "" where none answers soon.
func storageVersion(ctx context.Context, n *thisnode.Node) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // one that joins takes connections, and answers none
	defer cancel()
	d := n.UnitsDaemon(ctx)
	st, _, err := d.Ask(ctx)
	if err != nil {
		return ""
	}
	text, err := fromMember(ctx, clientOf(d.Values(ctx, st)), "/version")
	if err != nil {
		return ""
	}
	var says struct {
		Storage string `json:"storage"`
	}
	_ = json.Unmarshal([]byte(text), &says)
	return says.Storage
}

func quoted(args []string) (all []string) {
	for _, a := range args {
		all = append(all, shown.Quoted(a))
	}
	return all
}

func printPlan(out io.Writer, p *adopt.Plan, m adopt.Member) {
	runs := p.Program
	if m.Version != "" {
		runs += ", etcd " + m.Version + ", which runs"
	}
	fmt.Fprintf(out, "%s (%s) runs %s\n", p.Old.Name, shown.Text(p.Old.Path), shown.Text(runs))
	if m.ID != "" {
		fmt.Fprintf(out, "member %s of cluster %s, in %s: both stay\n", m.ID, m.Cluster, shown.Text(p.Then.DataDir))
	}
	fmt.Fprintf(out, "\n%s would be\n", config.DefaultEnvFile)
	for line := range strings.Lines(p.EnvFile) {
		if name, value, ok := strings.Cut(line, "="); ok && (settings.Setting{Name: settings.Flag(name), Value: strings.TrimSpace(value)}).Secret() {
			line = name + "=" + settings.Redacted + "\n"
		}
		fmt.Fprint(out, "  ", shown.Text(strings.TrimRight(line, "\n")), "\n")
	}
	if m.Older() {
		fmt.Fprint(out, "\nwhen all members are this version the cluster is, too, and then the way back takes\netcdctl downgrade; until then every machine can go back as it is\n")
	}
	if len(p.Left) > 0 {
		fmt.Fprint(out, "\nleft out, because etcd-node finds it by itself\n")
		for _, s := range p.Left {
			fmt.Fprintf(out, "  %s=%s\n", s.Name, shown.Text(s.Shown()))
		}
	}
	for _, text := range slices.Concat(p.Renamed, p.Dropped) {
		fmt.Fprintf(out, "\n%s\n", shown.Text(text))
	}
	if d := p.Differences(); len(d) > 0 {
		fmt.Fprint(out, "\nthese settings would not be the same\n")
		_ = settings.WriteDiff(out, d)
	} else {
		fmt.Fprintf(out, "\nall %s of the other etcd come out the same\n", shown.Count(p.Compared(), "setting"))
	}
	fmt.Fprint(out, "\nsteps\n")
	for i, step := range p.Steps() {
		fmt.Fprint(out, shown.Fold(fmt.Sprintf("  %d. %s", i+1, shown.Text(step)), "     "))
	}
	fmt.Fprintln(out)
}

// spared is whether the cluster can spare the member that runs here, where it has
// enough members for that to be a question.
func spared(ctx context.Context, n *thisnode.Node) error {
	d := n.UnitsDaemon(ctx)
	st, _, err := d.Ask(ctx)
	if err != nil {
		return nil // none runs
	}
	voters := 0
	for _, m := range st.View.Members {
		if !m.Learner {
			voters++
		}
	}
	if voters < 3 {
		return nil
	}
	return d.Do(ctx, "/spare", nil, func(string) {})
}

// active waits until the unit of the other etcd, which was started, says that it serves.
func active(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, adoptLimit)
	defer cancel()
	for {
		out, _ := exec.CommandContext(ctx, "systemctl", "is-active", name).Output()
		switch strings.TrimSpace(string(out)) {
		case "active":
			return nil
		case "failed":
			return fmt.Errorf("%s has failed: journalctl -u %[1]s -n 50", name)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve after %s: systemctl status %[1]s", name, adoptLimit)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// adoptLimit is how long the new member may take to serve: others are there, and a
// large database takes a minute from a slow disk.
const adoptLimit = 2 * time.Minute

// failedUnit reports whether systemd has given the unit up, and what it said last.
func failedUnit(ctx context.Context) (said string, failed bool) {
	out, err := exec.CommandContext(ctx, "systemctl", "show", unit.Name, "--property=ActiveState,StatusText").Output()
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(out)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
		case "ActiveState":
			failed = value == "failed"
		case "StatusText":
			said = value
		}
	}
	return said, failed
}

// adopted waits until the member serves, as the member that it was.
func adopted(ctx context.Context, out io.Writer, m adopt.Member) error {
	ctx, cancel := context.WithTimeout(ctx, adoptLimit)
	defer cancel()
	n, err := thisnode.Of(unit.Environ{})
	if err != nil {
		return err
	}
	d, last := n.UnitsDaemon(ctx), ""
	for {
		st, _, err := d.Ask(ctx)
		switch {
		case err == nil && st.State == status.Serving && st.View.Leader != "" && (st.View.MemberID != m.ID || st.View.ClusterID != m.Cluster):
			return coded{fmt.Errorf("member %s of cluster %s serves, and not member %s of cluster %s (etcd-node adopt --undo)", st.View.MemberID, st.View.ClusterID, m.ID, m.Cluster), failure.ExitFailure}
		case err == nil && st.State == status.Serving && st.View.Leader != "":
			fmt.Fprintln(out, st.Line())
			fmt.Fprintln(out, "adopt: done; take the next machine when all members are there. To put everything back here: etcd-node adopt --undo")
			return nil
		case err == nil:
			last = st.Line()
		default:
			if said, failed := failedUnit(ctx); failed {
				return coded{fmt.Errorf("the unit has failed: %s (etcd-node explain; to put everything back: etcd-node adopt --undo)", shown.Text(said)), failure.ExitFailure}
			}
		}
		select {
		case <-ctx.Done():
			return coded{fmt.Errorf("the member does not serve yet: %s (etcd-node explain; to put everything back: etcd-node adopt --undo)", last), failure.ExitFailure}
		case <-time.After(200 * time.Millisecond):
		}
	}
}
