package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/terminal"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func statusCommand(n *thisnode.Node) *cobra.Command {
	var output, dataDir string
	var watch bool
	c := &cobra.Command{
		Use:   "status",
		Short: "print what the daemon on this node is doing",
		Long: `Asks the daemon on this node over its unix socket, which root and the group etcd
can open, and prints its state, its members, and how the member last ended. It exits
0 if the member serves and knows a leader that a quorum hears, 1 if not, 3 if no
daemon answers, and 4 if you may not ask it. A daemon that no unit has started is
found by its data dir.

With --watch it goes on until it is interrupted: at a terminal it keeps the status in
view, elsewhere it prints each that is another than the one before; with -o json that
is one line of JSON for each.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			d := n.Daemon(c.Context(), dataDir)
			d.Hint = true
			if watch {
				return watchStatus(c.Context(), d, c.OutOrStdout(), c.ErrOrStderr(), output == "json")
			}
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
				fmt.Fprintln(c.OutOrStdout(), strings.TrimSpace(string(raw)))
			} else {
				fmt.Fprint(c.OutOrStdout(), painted(c.OutOrStdout())(st.Text(time.Now())))
			}
			return wellness(st)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show each change")
	dataDirFlag(c, &dataDir)
	return c
}

// painted is how a text of the status goes to out: with colour where that is a terminal
// whose user wants it.
func painted(out io.Writer) func(string) string {
	if f, ok := out.(*os.File); ok && terminal.HasColor(f) {
		return terminal.Paint
	}
	return func(text string) string { return text }
}

// wellness is an error unless the member serves, and knows a leader whom a quorum hears.
func wellness(st status.Status) error {
	switch {
	case st.State != status.Serving:
		return coded{fmt.Errorf("the member does not serve: it %s", st.State.Doing()), failure.ExitFailure}
	case st.Silent > 0:
		return coded{fmt.Errorf("nothing was heard of the member for %d s: does it hang?", st.Silent), failure.ExitFailure}
	case st.View.Leader == "":
		return coded{errors.New("the member serves no writes: it knows no leader (etcd-node explain)"), failure.ExitFailure}
	case st.View.NoQuorum:
		return coded{errors.New("the member serves no writes: it leads, and hears no quorum (etcd-node explain)"), failure.ExitFailure}
	}
	return nil
}
