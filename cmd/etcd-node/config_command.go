package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

func configCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "config [-o table|env|json|command] [--origin] [--diff FILE] [etcd flags]",
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
                       when: at a restart, at a first start, or never`,
		DisableFlagParsing: true, // the flags are etcd's
		RunE: func(c *cobra.Command, args []string) error {
			opts, err := configFlags(args)
			if err != nil {
				return err
			}
			if opts.help {
				return c.Help()
			}
			in := written(w)
			in.Args, in.Asking = opts.etcd, true
			read := in.EnvFile
			files, _ := theUnit(w)
			now, err := resolveHere(c, in, files)
			if err != nil {
				return err
			}
			notices := func(r *settings.Resolved) {
				ctx, cancel := context.WithTimeout(c.Context(), commandWait)
				defer cancel()
				u := unit.Ask(ctx, w.environ.Unit())
				printNotices(c.ErrOrStderr(), slices.Concat(r.Notices, u.OtherEnvFile(read), u.Forbids(r), u.Outdated(), otherProgram(ctx, w), files.Flags(), listAgainstData(ctx, w, r)))
			}
			if opts.diff == "" {
				notices(now)
				return now.Write(c.OutOrStdout(), opts.format, opts.origins)
			}
			if _, err := os.Stat(opts.diff); err != nil {
				return coded{fmt.Errorf("--diff: %w", err), failure.ExitUsage}
			}
			in.EnvFile = opts.diff
			then, err := resolveHere(c, in, files)
			if err != nil {
				return err
			}
			notices(then)
			return settings.WriteDiff(c.OutOrStdout(), now.Diff(then))
		},
	}
}

// resolveHere resolves the configuration as the daemon would on this machine.
func resolveHere(c *cobra.Command, in config.Input, of unit.File) (*settings.Resolved, error) {
	in.Host = preflight.System()
	if of.Path == "" { // none, or not known
		of.User = unit.User
	}
	if u, ok := preflight.Lookup(cmp.Or(of.User, "root"), of.Group, of.Groups...); ok {
		in.Host = preflight.SystemAs(u)
	}
	loaded, err := config.Load(in)
	if err != nil {
		return nil, coded{err, failure.ExitConfig}
	}
	r, err := loaded.Resolve(c.Context(), func(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
		patience := patienceOf(loaded, commandWait)
		patience.Absent = true // the daemon waits for it
		return netdetect.Wait(ctx, netdetect.System(), req, patience, func(reason string) {
			fmt.Fprintln(c.ErrOrStderr(), "etcd-node: waiting:", reason)
		})
	})
	if err != nil {
		return nil, coded{err, failure.ExitConfig}
	}
	return r, nil
}

// configOptions are the command's own flags, and what is left for etcd.
type configOptions struct {
	format, diff  string
	origins, help bool
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
