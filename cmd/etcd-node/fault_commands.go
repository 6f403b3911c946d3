package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func explainCommand(n *thisnode.Node) *cobra.Command {
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
				d := n.Daemon(c.Context(), dataDir)
				st, _, _ := d.Ask(c.Context())
				text, ok := failure.Explain(args[0], d.ValuesOf(c.Context(), st, args[0]))
				if !ok {
					return fmt.Errorf("no such entry: %s (%s)", args[0], nearestEntry(args[0]))
				}
				fmt.Fprint(out, text)
				return nil
			}
			if dataDir == "" {
				printNotices(c.ErrOrStderr(), n.OtherProgram(c.Context()))
			}
			return n.Daemon(c.Context(), dataDir).Explain(c.Context(), out)
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

func forgetCommand(n *thisnode.Node) *cobra.Command {
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
			var no *thisnode.NoAnswer
			switch _, _, err := n.UnitsDaemon(c.Context()).Ask(c.Context()); {
			case err == nil:
				return coded{fmt.Errorf("the daemon is running: systemctl stop %s, and then again", n.Service()), failure.ExitFailure}
			case !errors.As(err, &no) || !no.Stopped:
				return coded{fmt.Errorf("it cannot be told whether the daemon is stopped, nothing is forgotten: %w", err), failure.ExitFailure}
			}
			pins := n.Pins()
			if pins.Dir == "" {
				fmt.Fprintf(c.OutOrStdout(), "%s has no pin, as its StateDirectory= has no second entry: nothing to forget\n", n.Unit)
				return nil
			}
			pin, ok, _ := pins.Load()
			kept, failed := pins.Forget(time.Now())
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

func historyCommand(n *thisnode.Node) *cobra.Command {
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
			d := n.Daemon(c.Context(), dataDir)
			dir := d.Records()
			if dir == "" {
				return coded{fmt.Errorf("%s has no LogsDirectory=, and it cannot be told where its data is: --data-dir=DIR says it", n.Unit), failure.ExitFailure}
			}
			records, err := recorder.Read(dir)
			switch {
			case errors.Is(err, fs.ErrPermission):
				return d.Forbidden(err)
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
