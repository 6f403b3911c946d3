package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func configCommand(n *thisnode.Node) *cobra.Command {
	return &cobra.Command{
		Use:   "config [-o table|env|json|command] [--origin] [--diff FILE] [--dropin] [etcd flags]",
		Short: "print every setting that is not etcd's default, and where it comes from",
		Long: `Prints the configuration with which the daemon would start here: every setting
that is not etcd's default, with its origin. It reads what etcd.service names, as
systemd does: its Environment= and the files of EnvironmentFile=, in their order
(or only the file that ETCD_NODE_ENV_FILE names); then the environment, and the
flags that follow. ETCD_NODE_UNIT names another unit, such as etcd@events.
If the configuration is not valid it prints all problems and exits 78; a flag that
etcd does not have ends it with 2, as in all commands. It changes nothing. As root
it checks files as the user etcd would see them, and it asks systemd which paths
the unit lets the daemon read and write.

  -o, --output FORMAT  table; env: an env file; json; command: the command line
                       of plain etcd with the same settings. Secrets are redacted
  --origin             print origins in env and command as well, as comments
  --diff FILE          print what would change if FILE were the env file, and
                       when: at a restart, at a first start, or never
  --dropin             print the drop-in with which the unit reaches a data or WAL
                       directory elsewhere, for systemctl edit --stdin (systemd 256
                       and later) or /etc/systemd/system/UNIT.d/data.conf`,
		DisableFlagParsing: true, // the flags are etcd's
		RunE: func(c *cobra.Command, args []string) error {
			opts, err := configFlags(args)
			if err != nil {
				return err
			}
			if opts.help {
				return c.Help()
			}
			in := n.Written()
			in.Args, in.Asking = opts.etcd, true
			read := in.EnvFile
			resolve := func() (*settings.Resolved, error) {
				r, err := n.Resolve(c.Context(), in, func(reason string) {
					fmt.Fprintln(c.ErrOrStderr(), "etcd-node: waiting:", reason)
				})
				if err != nil {
					return nil, coded{err, failure.ExitConfig}
				}
				return r, nil
			}
			now, err := resolve()
			if err != nil {
				return err
			}
			if opts.dropIn {
				return printDropIn(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), n, now)
			}
			if opts.diff == "" {
				printNotices(c.ErrOrStderr(), n.Notices(c.Context(), now, read))
				return now.Write(c.OutOrStdout(), opts.format, opts.origins)
			}
			if _, err := os.Stat(opts.diff); err != nil {
				return coded{fmt.Errorf("--diff: %w", err), failure.ExitUsage}
			}
			in.EnvFile = opts.diff
			then, err := resolve()
			if err != nil {
				return err
			}
			printNotices(c.ErrOrStderr(), n.Notices(c.Context(), then, read))
			return settings.WriteDiff(c.OutOrStdout(), now.Diff(then))
		},
	}
}

// printDropIn prints the drop-in that the unit needs, and to complaints what is to be
// done before.
func printDropIn(ctx context.Context, out, complaints io.Writer, n *thisnode.Node, r *settings.Resolved) error {
	properties := unit.Ask(ctx, n.Unit)
	if properties == nil {
		return coded{errors.New("systemd does not answer: what the unit may reach is not known"), failure.ExitFailure}
	}
	dirs, first := properties.Needs(r)
	if len(dirs) == 0 {
		fmt.Fprintf(complaints, "etcd-node: %s reaches all that it is to write to: it needs no drop-in\n", n.Unit)
		return nil
	}
	for _, command := range first {
		fmt.Fprintf(complaints, "etcd-node: first, or systemd does not start it: %s\n", command)
	}
	_, err := io.WriteString(out, unit.Reach(dirs))
	return err
}

// configOptions are the command's own flags, and what is left for etcd.
type configOptions struct {
	format, diff  string
	origins, help bool
	dropIn        bool
	etcd          []string
}

// configFlags takes the command's own flags out of a command line of etcd's:
// etcd has none of these names.
func configFlags(args []string) (o configOptions, err error) {
	o.format = settings.Formats[0]
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(args[i], "=")
		var into *string
		switch name {
		case "-h", "-help", "--help":
			o.help = true
			continue
		case "-dropin", "--dropin":
			o.dropIn = true
			continue
		case "-origin", "--origin":
			o.origins = true
			continue
		case "-o", "-output", "--output":
			into = &o.format
		case "-diff", "--diff":
			into = &o.diff
		default:
			o.etcd = append(o.etcd, args[i])
			continue
		}
		if !has {
			if i++; i == len(args) {
				return o, fmt.Errorf("%s needs a value (etcd-node config --help)", name)
			}
			value = args[i]
		}
		*into = value
	}
	if !slices.Contains(settings.Formats, o.format) {
		return o, fmt.Errorf("-o %s: the formats are %s", o.format, strings.Join(settings.Formats, ", "))
	}
	return o, nil
}
