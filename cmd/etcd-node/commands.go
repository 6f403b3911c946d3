package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

// coded is an error with an exit code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// Exit is what [thisnode.NoAnswer] has, too.
func (c coded) Exit() int { return c.code }

// runCommand runs a subcommand and returns the exit code.
func runCommand(ctx context.Context, w world) int {
	n, err := thisnode.Of(w.environ)
	if err != nil {
		fmt.Fprintln(w.stderr, "etcd-node:", err)
		return failure.ExitUsage
	}
	cobra.EnablePrefixMatching = false // etcdctl, which is in this binary too, has it
	root := &cobra.Command{
		Use:           "etcd-node",
		Short:         "etcd as a systemd service that finds its own address, name and peers",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(w.args)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c == root {
			fmt.Fprint(c.OutOrStdout(), usage)
			return
		}
		fmt.Fprint(c.OutOrStdout(), c.Long, "\n\n", c.UsageString())
	})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if what, _, is := strings.Cut(err.Error(), ": strconv."); is {
			return errors.New(what + ": want a whole number")
		}
		return err
	})
	root.AddCommand(configCommand(n), statusCommand(n), explainCommand(n), historyCommand(n), forgetCommand(n), &cobra.Command{
		Use: "version", Short: "print the versions of etcd-node and of the etcd in it", Args: cobra.NoArgs,
		Long: `Prints the version of the etcd inside, in etcd's own words, then that of etcd-node.
--version does the same.`,
		Run: func(c *cobra.Command, _ []string) { printVersion(c.OutOrStdout()) },
	})
	err = root.ExecuteContext(ctx)
	var (
		invalid *settings.Invalid
		coded   interface{ Exit() int }
	)
	switch {
	case err == nil:
		return failure.ExitOK
	case errors.As(err, &invalid):
		printInvalid(w.stderr, err)
		if invalid.Usage() {
			return failure.ExitUsage
		}
		return failure.ExitConfig
	case errors.As(err, &coded): // it may be several: of each file of the recorder
		fmt.Fprintln(w.stderr, "etcd-node:", strings.ReplaceAll(n.ForUnit(err.Error()), "\n", "\netcd-node: "))
		return coded.Exit()
	default:
		fmt.Fprintln(w.stderr, "etcd-node:", err)
		return failure.ExitUsage
	}
}

func statusCommand(n *thisnode.Node) *cobra.Command {
	var output, dataDir string
	c := &cobra.Command{
		Use:   "status",
		Short: "print what the daemon on this node is doing",
		Long: `Asks the daemon on this node over its unix socket, which root and the group etcd
can open, and prints its state, its members, and how the member last ended. It exits
0 if the member serves and knows a leader, 1 if not, 3 if no daemon answers, and 4 if
you may not ask it. A daemon that no unit has started is found by its data dir.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			d := n.Daemon(c.Context(), dataDir)
			d.Hint = true
			st, raw, err := d.Ask(c.Context())
			if dataDir == "" {
				printNotices(c.ErrOrStderr(), n.OtherProgram(c.Context()))
			}
			if err != nil {
				return err
			}
			if st.Format > status.Format {
				fmt.Fprintln(c.ErrOrStderr(), "etcd-node: a later version of etcd-node runs here: its status is shown as far as this one knows it")
			}
			if output == "json" {
				fmt.Fprintln(c.OutOrStdout(), string(raw))
			} else {
				fmt.Fprint(c.OutOrStdout(), st.Text(time.Now()))
			}
			if st.State != status.Serving {
				return coded{fmt.Errorf("the member does not serve: it %s", st.State.Doing()), failure.ExitFailure}
			}
			if st.View.Leader == "" {
				return coded{errors.New("the member serves no writes: it knows no leader (etcd-node explain)"), failure.ExitFailure}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")
	dataDirFlag(c, &dataDir)
	return c
}

func dataDirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "data-dir", "", "the data dir, to find a daemon that no unit has started (as ETCD_DATA_DIR does)")
}

func printNotices(out io.Writer, notices []string) {
	for _, n := range notices {
		fmt.Fprintln(out, "etcd-node: notice:", n)
	}
}
