package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
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
	root := rootCommand(n)
	root.SetArgs(w.args)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
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

// rootCommand has all commands, about a node.
func rootCommand(n *thisnode.Node) *cobra.Command {
	cobra.EnablePrefixMatching = false // etcdctl, which is in this binary too, has it
	root := &cobra.Command{
		Use:           "etcd-node",
		Short:         "etcd as a systemd service that finds its own address, name and peers",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
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
	root.AddCommand(configCommand(n), checkCommand(n), adoptCommand(n), statusCommand(n), explainCommand(n), reloadCommand(n), restartCommand(n), canStopCommand(n), historyCommand(n), bundleCommand(n), forgetCommand(n),
		toolCommand("ctl", "etcdctl", "etcdctl, told of this node: its endpoint and certificates"), toolCommand("utl", "etcdutl", "etcdutl"), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "version", Short: "print the versions of etcd-node and of the etcd in it", Args: cobra.NoArgs,
		Long: `Prints the version of the etcd inside, in etcd's own words, then that of etcd-node.
--version does the same.`,
		RunE: func(c *cobra.Command, _ []string) error {
			switch output {
			case "text":
				printVersion(c.OutOrStdout())
				return nil
			case "json":
				return json.NewEncoder(c.OutOrStdout()).Encode(ownVersions())
			}
			return fmt.Errorf("-o %s: the formats are text and json", output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")
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
