package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

func explainCommand(w world) *cobra.Command {
	var list bool
	c := &cobra.Command{
		Use:   "explain [ID]",
		Short: "explain what is wrong on this node, or an entry of the catalogue",
		Long: `Without an ID, explains what is wrong with the member now and how it last ended,
even before a reboot, with the commands for this node. With an ID, as status and log
show it, prints that entry of the catalogue. --list shows all entries.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			if list {
				for _, e := range failure.All() {
					fmt.Fprintf(out, "%-22s %-10s %s\n", e.ID, e.Kind(), e.Cause)
				}
				return nil
			}
			if len(args) == 1 {
				st, _, _ := askStatus(c.Context(), w)
				text, ok := failure.Explain(args[0], ownValues(c.Context(), w, st))
				if !ok {
					return fmt.Errorf("no such entry: %s (etcd-node explain --list shows all)", args[0])
				}
				fmt.Fprint(out, text)
				return nil
			}
			if u, ok := theUnit(w); ok {
				printNotices(c.ErrOrStderr(), u.OtherProgram(self))
			}
			return explainNow(c.Context(), w, out)
		},
	}
	c.Flags().BoolVar(&list, "list", false, "list all entries of the catalogue")
	return c
}

// explainNow explains what the daemon shows, and else what the recorder kept.
func explainNow(ctx context.Context, w world, out io.Writer) error {
	st, _, noDaemon := askStatus(ctx, w)
	values := ownValues(ctx, w, st)
	explained := map[string]bool{}
	say := func(head, id string, values map[string]string) {
		fmt.Fprintln(out, shown.Hanging(head))
		if text, ok := failure.Explain(id, values); ok && !explained[id] { // !ok: recorded by another version
			fmt.Fprintf(out, "\n%s", text)
		}
		explained[id] = true
	}
	end := st.LastEnd
	if noDaemon == nil {
		fmt.Fprintf(out, "now: %s\n", st.Line())
		for _, x := range st.AllConditions() {
			fmt.Fprintln(out)
			say(cmp.Or(x.Text, x.ID), x.ID, values)
		}
		if st.State == status.Serving && st.View.Leader == "" && !explained[failure.IDNoQuorum] {
			fmt.Fprintln(out)
			say("there is no leader", failure.IDNoQuorum, values)
		}
		fmt.Fprintln(out)
		switch well := st.State == status.Serving && len(explained) == 0; {
		case well && st.View.AllConnected():
			fmt.Fprintln(out, "nothing is wrong that etcd-node knows of")
		case well:
			fmt.Fprintln(out, "this member is well; what is wrong with a missing one is explained on its node: etcd-node explain")
		}
	} else {
		past := recorder.Look(recorderDir(w))
		if past.Last.Seq == 0 {
			return coded{noDaemon, exitNoDaemon}
		}
		fmt.Fprint(out, "now: no daemon answers (systemctl status etcd); the last record:\n  ", past.Last.Text())
		end = past.LastEnd()
	}
	switch {
	case end == nil:
		fmt.Fprintln(out, "no end of the member is on record")
	case !end.Over.IsZero():
		fmt.Fprintf(out, "last end: %s, %s\n  %s; etcd-node explain %s tells more\n", end.Ago(time.Now()), shown.Hanging(end.Cause), end.Since(), shown.Quoted(end.ID))
	default:
		// The daemon knew more then than can be found out now.
		for k, v := range end.Values {
			if v != "" {
				values[k] = v
			}
		}
		say(fmt.Sprintf("last end: %s, %s", end.Ago(time.Now()), end.Cause), end.ID, values)
	}
	return nil
}

func forgetCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "forget",
		Short: "let another member begin on this node: a restored snapshot, a new cluster",
		Long: `Removes the pin: etcd-node then no longer knows which member lives on this node, and
starts with whatever the data dir holds, even if it is empty. You need this only after
you have restored a snapshot, or to begin a new cluster in place of another one. You
never need it for a replacement, a change of address or name, or data of stock etcd.
The daemon must be stopped. The data is not touched, and the pin is kept under another
name in the same directory.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch _, _, err := askStatus(c.Context(), w); {
			case err == nil:
				return coded{fmt.Errorf("the daemon is running: systemctl stop etcd, and then again"), failure.ExitFailure}
			case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED): // where it is stopped
				return coded{fmt.Errorf("it cannot be told whether the daemon is stopped, nothing is forgotten: %w", err), failure.ExitFailure}
			}
			store := pinStore(w)
			pin, ok, _ := store.Load()
			kept, failed := store.Forget(time.Now())
			switch {
			case failed != nil:
				return coded{fmt.Errorf("%w (are you root?)", failed), failure.ExitFailure}
			case kept == "":
				fmt.Fprintln(c.OutOrStdout(), "there is no pin: nothing to forget")
			case !ok:
				fmt.Fprintf(c.OutOrStdout(), "forgotten: a damaged pin, kept as %s\n", kept)
			default:
				fmt.Fprintf(c.OutOrStdout(), "forgotten: %s, kept as %s\n", shown.Hanging(pin.String()), kept)
			}
			return nil
		},
	}
}

func historyCommand(w world) *cobra.Command {
	var output string
	var count int
	c := &cobra.Command{
		Use:   "history",
		Short: "print what the flight recorder kept",
		Long: `Prints the records of the flight recorder in /var/log/etcd-node, oldest first: starts,
states and their reasons, and how the member ended, with the last lines of its log. It
needs no daemon and no root: the group etcd may read the records.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			records, err := recorder.Read(recorderDir(w))
			if err != nil {
				return coded{fmt.Errorf("%w (are you root, or in the group etcd?)", err), failure.ExitFailure}
			}
			if len(records) == 0 {
				fmt.Fprintf(c.ErrOrStderr(), "etcd-node: nothing is recorded in %s: has the daemon run, and has its unit LogsDirectory=etcd-node?\n", recorderDir(w))
			}
			if count > 0 && len(records) > count {
				records = records[len(records)-count:]
			}
			if output == "json" {
				for enc := json.NewEncoder(c.OutOrStdout()); len(records) > 0; records = records[1:] {
					if err := enc.Encode(records[0]); err != nil {
						return err
					}
				}
				return nil
			}
			for _, r := range records {
				fmt.Fprint(c.OutOrStdout(), r.Text())
			}
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json, one record a line")
	c.Flags().IntVarP(&count, "lines", "n", 100, "how many of the last records to print; 0 = all")
	return c
}
