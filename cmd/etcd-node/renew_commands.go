package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func reloadCommand(n *thisnode.Node) *cobra.Command {
	return renewCommand(n, "reload", &cobra.Command{
		Short: "take up what has changed in the env file, in turn with the other nodes",
		Long: `Has the daemon read its unit's files again, prints what differs, and takes it up. A
log level changes at once. For anything else, and for a binary that was installed
since, the member is restarted: when it is this node's turn, and only if the cluster
keeps its quorum without it, which the other members are asked. It may be started on
all nodes at the same moment. A leader hands over before. The command returns when the
member serves again; if the new member does not come up, that of before is started.

What is not valid, or would make another member of this one (its name, data dir,
token), is refused with file and line, and changes nothing. systemctl reload etcd does
the same, with the environment as systemd reads it, and so does SIGHUP.`,
	})
}

func restartCommand(n *thisnode.Node) *cobra.Command {
	return renewCommand(n, "restart", &cobra.Command{
		Short: "restart the member as soon as the cluster can spare it",
		Long: `Does what reload does, and restarts the member even if nothing has changed. It may be
started on all nodes at the same moment: they take turns.`,
	})
}

// renewCommand is what the two have in common.
func renewCommand(n *thisnode.Node, word string, c *cobra.Command) *cobra.Command {
	wish := n.Wish()
	var dataDir string
	var dryRun bool
	c.Use, c.Args = word, cobra.NoArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		out, last := c.OutOrStdout(), ""
		path := "/" + word
		if dryRun {
			path = "/drift"
		}
		err := n.Daemon(c.Context(), dataDir).Do(c.Context(), path, wish, func(text string) {
			last = text
			fmt.Fprintln(out, shown.Text(text))
		})
		if err != nil {
			return errandError(err, word, "\nthe member runs as before; to go on all the same: etcd-node "+word+" --force")
		}
		switch {
		case dryRun && last == "":
			fmt.Fprintln(out, control.Unchanged)
		case dryRun, last == control.Unchanged:
		default:
			fmt.Fprintln(out, word+": done, the member serves")
		}
		return nil
	}
	if word == "reload" {
		c.Flags().BoolVar(&dryRun, "dry-run", false, "print what differs from what the member runs with, and change nothing")
	}
	c.Flags().BoolVar(&wish.NoTurn, "no-turn", false, "do not wait for a turn, as when an alarm forbids one; the quorum is asked for")
	c.Flags().BoolVar(&wish.Force, "force", false, "ask nobody: the cluster may lose its quorum for a moment")
	dataDirFlag(c, &dataDir)
	return c
}

func canStopCommand(n *thisnode.Node) *cobra.Command {
	var output, dataDir string
	c := &cobra.Command{
		Use:   "can-stop",
		Short: "tell whether the cluster keeps its quorum without this node",
		Long: `Exits 0 if the cluster keeps its quorum when this node is stopped: every other voting
member serves, and has applied all that is committed. Each of them is asked now. It
exits 1 if not, and says why, 3 if no daemon answers, 4 if you may not ask it. It changes
nothing, and holds nothing: whoever stops several nodes asks before each.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			// Whoever stops it wants it to come back.
			if why := comesBack(c.Context(), n, dataDir); why != nil && output == "text" {
				return coded{fmt.Errorf("no, this node would not come up again:\n%w", why), failure.ExitFailure}
			} else if why != nil {
				return printSpare(c.OutOrStdout(), &control.Error{Text: why.Error()})
			}
			slow := time.AfterFunc(time.Second, func() { fmt.Fprintln(c.ErrOrStderr(), "etcd-node: asking the other members, for up to 10 s") })
			defer slow.Stop()
			err := n.Daemon(c.Context(), dataDir).Do(c.Context(), "/spare", nil, func(string) {})
			var no *control.Error
			if refused := errors.As(err, &no); output == "json" && (err == nil || refused) {
				return printSpare(c.OutOrStdout(), no)
			}
			if err != nil {
				return errandError(err, "can-stop", "")
			}
			fmt.Fprintln(c.OutOrStdout(), "yes: every other voting member serves and is in step")
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")
	dataDirFlag(c, &dataDir)
	return c
}

// comesBack is why a start with what is written now would fail, if root asks, who may
// read all of it. A daemon without a unit has its settings from elsewhere.
func comesBack(ctx context.Context, n *thisnode.Node, dataDir string) error {
	if os.Geteuid() != 0 || dataDir != "" || !n.Installed() {
		return nil
	}
	_, err := n.Resolve(ctx, n.Written(), func(string) {})
	return err
}

// printSpare prints the answer as JSON; no is nil where it is yes.
func printSpare(out io.Writer, no *control.Error) error {
	answer := struct {
		CanStop bool     `json:"canStop"`
		Why     []string `json:"why,omitempty"`
	}{CanStop: no == nil}
	if no != nil {
		answer.Why = strings.Split(no.Text, "\n")
	}
	if err := json.NewEncoder(out).Encode(answer); err != nil || no == nil {
		return err
	}
	return coded{errors.New("this node cannot be stopped now"), failure.ExitFailure}
}

// errandError is the error of a command for one of the daemon; refused is added where
// the cluster cannot spare the member.
func errandError(err error, word, refused string) error {
	var said *control.Error
	switch {
	case errors.Is(err, context.Canceled):
		return coded{fmt.Errorf("%s: interrupted", word), failure.ExitFailure}
	case !errors.As(err, &said):
		var no *thisnode.NoAnswer
		if errors.As(err, &no) {
			return err
		}
		return coded{fmt.Errorf("%s: %w", word, err), failure.ExitFailure}
	case said.Kind == control.Invalid:
		return coded{fmt.Errorf("%s refused, the member runs as before:\n%w", word, said), failure.ExitConfig}
	case said.Kind == control.Refused && word == "can-stop":
		return coded{fmt.Errorf("no, the cluster cannot spare this node now:\n%w", said), failure.ExitFailure}
	case said.Kind == control.Refused:
		return coded{fmt.Errorf("%s refused:\n%w%s", word, said, refused), failure.ExitFailure}
	}
	return coded{fmt.Errorf("%s: %w", word, said), failure.ExitFailure}
}
