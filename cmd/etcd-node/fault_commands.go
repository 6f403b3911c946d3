package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

func explainCommand(w world) *cobra.Command {
	var list bool
	var dataDir string
	c := &cobra.Command{
		Use:   "explain [ID]",
		Short: "explain what is wrong on this node, or an entry of the catalogue",
		Long: `Without an ID, explains what is wrong with the member now and how it last ended,
even before a reboot, with the commands for this node. With an ID, as status and log
show it, prints that entry of the catalogue. --list shows all entries. It needs root or
the group etcd. A daemon that no unit has started is found by its data dir.`,
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
				at := search(c.Context(), w, dataDir)
				st, _, _ := at.ask(c.Context())
				text, ok := failure.Explain(args[0], ownValues(c.Context(), w, st, at.dataDir))
				if !ok {
					return fmt.Errorf("no such entry: %s (%s)", args[0], nearestEntry(args[0]))
				}
				fmt.Fprint(out, text)
				return nil
			}
			if dataDir == "" {
				printNotices(c.ErrOrStderr(), otherProgram(c.Context(), w))
			}
			return explainNow(c.Context(), w, search(c.Context(), w, dataDir), out)
		},
	}
	c.Flags().BoolVar(&list, "list", false, "list all entries of the catalogue")
	dataDirFlag(c, &dataDir)
	return c
}

// nearestEntry is the hint for an entry that does not exist.
func nearestEntry(id string) string {
	var ids []string
	for _, e := range failure.All() {
		ids = append(ids, e.ID)
	}
	near := settings.Nearest(id, ids)
	if i := slices.IndexFunc(ids, func(x string) bool { return strings.Contains(x, id) }); near == "" && id != "" && i >= 0 {
		near = ids[i]
	}
	if near != "" {
		return "did you mean " + near + "?"
	}
	return "etcd-node explain --list shows all"
}

// explainNow explains what the daemon shows, and else what the recorder kept.
func explainNow(ctx context.Context, w world, at *place, out io.Writer) error {
	st, _, noDaemon := at.ask(ctx)
	if errors.Is(noDaemon, fs.ErrPermission) {
		return noDaemon // the records are as much forbidden
	}
	values := ownValues(ctx, w, st, at.dataDir)
	explained := map[string]bool{}
	say := func(head, id string, values map[string]string) {
		text, ok := failure.Explain(id, values)                 // !ok: recorded by another version
		if again := explained[id]; !ok || again || head != id { // the text begins with the ID itself
			fmt.Fprintln(out, shown.Hanging(head))
			if ok && !again {
				fmt.Fprintln(out)
			}
		}
		if ok && !explained[id] {
			fmt.Fprint(out, text)
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
		if st.State == status.Serving && st.View.Leader == "" && !explained[failure.IDNoQuorum] && !explained[failure.IDNeverStarted] && !explained[failure.IDOtherURLs] {
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
		dir := at.records()
		if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrPermission) {
			return at.forbidden(err)
		}
		past := recorder.Look(dir)
		if past.Last.Seq == 0 {
			return noDaemon
		}
		end = past.LastEnd()
		ask, start := " (systemctl status "+service(w)+")", "systemctl start "+service(w)
		if !at.ofUnit(dir) {
			ask, start = "", "the command that started it"
		}
		if past.Told() {
			fmt.Fprintf(out, "now: stopped as told at %s; that is no fault, and %s starts it again\n", past.Last.Time.Local().Format(time.DateTime), start)
			if !at.ofUnit(dir) { // a start that was refused is recorded in a unit's own directory only
				fmt.Fprintln(out, "  if a start has failed since then, its log says why (under systemd: journalctl -u etcd)")
			}
			if end == nil {
				return nil
			}
		} else if past.State == "" && past.Last.Kind == recorder.Stop && end != nil {
			fmt.Fprintf(out, "now: the daemon does not run: its last start was refused at %s\n", end.Time.Local().Format(time.DateTime))
		} else {
			fmt.Fprintf(out, "now: no daemon answers%s; the last record:\n  %s", ask, past.Last.Text())
		}
	}
	switch {
	case end == nil:
		fmt.Fprintln(out, "no end of the member is on record")
	case !end.Over.IsZero():
		more := failure.ForUnit("etcd-node explain "+shown.Quoted(end.ID), unitValues(w))
		fmt.Fprintf(out, "last end: %s, %s\n  %s; %s tells more\n", end.Ago(time.Now()), shown.Hanging(end.Cause), end.Since(), more)
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
			switch _, _, err := searchUnit(c.Context(), w).ask(c.Context()); {
			case err == nil:
				return coded{fmt.Errorf("the daemon is running: systemctl stop %s, and then again", service(w)), failure.ExitFailure}
			case !errors.As(err, &stopped{}):
				return coded{fmt.Errorf("it cannot be told whether the daemon is stopped, nothing is forgotten: %w", err), failure.ExitFailure}
			}
			h := homeOf(w)
			if h.Pins == "" {
				fmt.Fprintf(c.OutOrStdout(), "%s has no pin, as its StateDirectory= has no second entry: nothing to forget\n", w.environ.Unit())
				return nil
			}
			pin, ok, _ := pins(h).Load()
			kept, failed := pins(h).Forget(time.Now())
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
	var output, dataDir string
	var count int
	c := &cobra.Command{
		Use:   "history",
		Short: "print what the flight recorder kept",
		Long: `Prints the records of the flight recorder in /var/log/etcd-node, oldest first: starts,
states and their reasons, and how the member ended, with the last lines of its log. It
needs no daemon and no root: the group etcd may read the records. Those of a daemon that
no unit has started are beside its data dir.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			at := search(c.Context(), w, dataDir)
			dir := at.records()
			if dir == "" {
				return coded{fmt.Errorf("%s has no LogsDirectory=, and it cannot be told where its data is: --data-dir=DIR says it", w.environ.Unit()), failure.ExitFailure}
			}
			records, err := recorder.Read(dir)
			switch {
			case errors.Is(err, fs.ErrPermission):
				return at.forbidden(err)
			case err != nil:
				return coded{err, failure.ExitFailure}
			case len(records) == 0:
				fmt.Fprintf(c.ErrOrStderr(), "etcd-node: nothing is recorded in %s: has the daemon run, and has its unit LogsDirectory=etcd-node? (without systemd: --data-dir=DIR)\n", dir)
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
	dataDirFlag(c, &dataDir)
	return c
}
