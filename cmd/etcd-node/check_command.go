package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-node/etcd-node/pkg/check"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

// checkFormat is the version of the JSON, see docs/formats.md.
const checkFormat = 1

func checkCommand(n *thisnode.Node) *cobra.Command {
	var output, dataDir string
	var all bool
	c := &cobra.Command{
		Use:   "check",
		Short: "check whether this node is fit to run its member",
		Long: `Checks the configuration, the ports, the data, the disk and how long it takes, each
peer of the list, certificates, limits and the clock, in some seconds, and prints a line
for each, with what to do where something is wrong. It touches nothing that runs, and
writes nothing but a file without a name, to measure the disk. Run it as root, before
the first start as well as beside a member that serves.

With --all it also asks every member through its client port how it is, and whether all
agree; with authentication, ETCDCTL_USER=USER:PASSWORD names who asks.

It exits 0 if nothing is worse than a warning, 1 if there is a problem, and 78 if the
configuration is not valid.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: the formats are text and json", output)
			}
			in := n.Written()
			in.Asking = true
			read := in.EnvFile
			r, err := n.Resolve(c.Context(), in, func(string) {})
			if err != nil && output == "json" {
				invalid := []check.Result{{Check: "configuration", Level: check.Problem, Text: shown.Text(err.Error()), Next: n.ForUnit("etcd-node config")}}
				if failed := writeResults(c.OutOrStdout(), invalid); failed != nil {
					return failed
				}
			}
			if err != nil {
				return coded{err, failure.ExitConfig}
			}
			d := n.Daemon(c.Context(), dataDir)
			of := check.Node{Resolved: r, Service: n.Service(), Pins: n.Pins(), Environ: os.Environ()}
			st, _, err := d.Ask(c.Context())
			if err == nil {
				of.Running = &st
			}
			if u, ok := n.User(); ok && os.Geteuid() == 0 {
				of.User = &u
			}
			if of.Running == nil {
				of.LastEnd = lastEnd(d)
			} else {
				of.Drift = drift(c.Context(), n, d)
			}
			results := []check.Result{{Check: "configuration", Level: check.OK, Text: "valid: etcd-node config shows it"}}
			for _, notice := range n.Notices(c.Context(), r, read) {
				results = append(results, check.Result{Check: "configuration", Level: check.Warning, Text: notice})
			}
			var no *thisnode.NoAnswer
			if errors.As(err, &no) && !no.Stopped {
				of.Hidden = true
				results = append(results, check.Result{Check: "daemon", Level: check.Warning, Text: err.Error(), Next: "run this as root"})
			}
			results = append(results, check.Run(c.Context(), of)...)
			if all {
				client := clientOf(d.Values(c.Context(), st))
				client.Others = func(ctx context.Context) []string { return check.ClientURLs(ctx, of) }
				results = append(results, check.All(c.Context(), client)...)
			}
			out := c.OutOrStdout()
			for i := range results {
				results[i] = shown.Copy(results[i])
				results[i].Next = n.ForUnit(results[i].Next)
			}
			if output == "json" {
				err = writeResults(out, results)
			} else {
				_, err = fmt.Fprint(out, painted(out)(check.Text(results)))
			}
			if err == nil && check.Worst(results) == check.Problem {
				return coded{errors.New("there is a problem"), failure.ExitFailure}
			}
			return err
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "format: text or json")
	c.Flags().BoolVar(&all, "all", false, "also ask every member how it is")
	dataDirFlag(c, &dataDir)
	return c
}

// lastEnd is how the daemon has ended, if it has failed for good.
func lastEnd(d *thisnode.Daemon) string {
	records, err := recorder.Read(d.Records())
	if err != nil || len(records) == 0 {
		return ""
	}
	for _, r := range slices.Backward(records) {
		if r.State != "" {
			if r.State == status.Failed {
				return r.Reason
			}
			break
		}
	}
	return ""
}

// drift asks the daemon in what its files differ from what its member runs with; it
// tells only its owners.
func drift(ctx context.Context, n *thisnode.Node, d *thisnode.Daemon) (changes []string) {
	ctx, cancel := context.WithTimeout(ctx, driftLimit)
	defer cancel()
	if err := d.Do(ctx, "/drift", n.Wish(), func(text string) {
		if !strings.HasPrefix(text, "notice: ") { // they are among the results already
			changes = append(changes, text)
		}
	}); err != nil {
		return nil
	}
	return changes
}

// driftLimit is for the daemon to read its files.
const driftLimit = 3 * time.Second

// writeResults writes them as JSON, in one line.
func writeResults(out io.Writer, all []check.Result) error {
	return json.NewEncoder(out).Encode(struct {
		Format  int            `json:"format"`
		Worst   check.Level    `json:"worst"`
		Results []check.Result `json:"results"`
	}{checkFormat, check.Worst(all), all})
}

// clientOf is how a client reaches this node's member, by what is known of the node.
func clientOf(v failure.Values) check.Client {
	known := func(path string) string {
		if path == failure.WordCA || path == failure.WordCert || path == failure.WordKey {
			return ""
		}
		return path
	}
	user, password, _ := strings.Cut(os.Getenv("ETCDCTL_USER"), ":")
	c := check.Client{URL: cmp.Or(v["client-url"], "http://localhost:2379"), CA: known(v["client-ca"]), Cert: known(v["client-cert"]), Key: known(v["client-key"]), Insecure: v["client-insecure"] == "true",
		User: user, UserPassword: password}
	if p := os.Getenv("ETCDCTL_PASSWORD"); p != "" {
		c.UserPassword = p
	}
	return c
}
