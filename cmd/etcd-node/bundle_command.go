package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/etcd-node/etcd-node/pkg/bundle"
	"github.com/etcd-node/etcd-node/pkg/check"
	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

func bundleCommand(n *thisnode.Node) *cobra.Command {
	var output, dataDir string
	c := &cobra.Command{
		Use:   "bundle [-o FILE]",
		Short: "gather what a bug report needs in one file, without secrets",
		Long: `Writes a tarball with what somebody who cannot log in here would ask for: versions, status,
settings, env files, unit, journal, flight recorder, metrics, check, certificates (not
their keys), names and sizes in the data dir, and facts of the machine. Passwords, keys
and tokens are taken out, and so is what clients store. MANIFEST.txt in it says what
could not be had, and why. Run it as root. Look into it before you send it away.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			now := time.Now()
			host, _ := os.Hostname()
			host, _, _ = strings.Cut(host, ".")
			dir := fmt.Sprintf("etcd-node-%s-%s", host, now.Format("20060102T150405"))
			if output == "" {
				output = dir + ".tar.gz"
			}
			f, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return coded{fmt.Errorf("the bundle cannot be written: %w", err), failure.ExitFailure}
			}
			b := bundled{n: n, d: n.Daemon(c.Context(), dataDir)}
			missing, err := bundle.Write(c.Context(), f, dir, now, b.parts(c.Context()))
			if err := errors.Join(err, f.Close()); err != nil {
				_ = os.Remove(output)
				return coded{fmt.Errorf("the bundle cannot be written: %w", err), failure.ExitFailure}
			}
			if len(missing) > 0 {
				hint := "MANIFEST.txt in it says why"
				if os.Geteuid() != 0 {
					hint += "; root may read more"
				}
				fmt.Fprintf(c.ErrOrStderr(), "etcd-node: it lacks %s (%s)\n", strings.Join(missing, ", "), hint)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: look into it before you send it away (tar tzvf %[1]s)\n", output)
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the file to write, which must not be there (default etcd-node-HOST-TIME.tar.gz)")
	dataDirFlag(c, &dataDir)
	return c
}

// bundled is what a bundle is about.
type bundled struct {
	n *thisnode.Node
	d *thisnode.Daemon
}

func (b bundled) parts(ctx context.Context) []bundle.Part {
	st, raw, asked := b.d.Ask(ctx)
	values := b.d.Values(ctx, st)
	resolved := func(ctx context.Context) (*settings.Resolved, error) {
		return b.n.Resolve(ctx, b.n.Written(), func(string) {})
	}
	var reading sync.Mutex    // package config must not be used twice at a time
	config.Knows("ETCD_NAME") // before it is
	parts := []bundle.Part{
		{Name: "versions.json", Get: func(context.Context) (string, error) { return asJSON(ownVersions()) }},
		{Name: "status.json", Get: func(context.Context) (string, error) { return string(raw), asked }},
		{Name: "status.txt", Get: func(context.Context) (string, error) { return st.Text(time.Now()), asked }},
		{Name: "explain.txt", Get: func(ctx context.Context) (string, error) {
			reading.Lock()
			defer reading.Unlock()
			var text strings.Builder
			err := b.d.Explain(ctx, &text)
			return text.String(), err
		}},
		{Name: "config.txt", Get: func(ctx context.Context) (string, error) {
			reading.Lock()
			defer reading.Unlock()
			r, err := resolved(ctx)
			if err != nil {
				return "not valid: " + err.Error() + "\n", nil
			}
			var text strings.Builder
			err = r.Write(&text, settings.Formats[0], true)
			return text.String() + strings.Join(append([]string{""}, r.Notices...), "\nnotice: "), err
		}},
		{Name: "check.txt", Get: func(ctx context.Context) (string, error) {
			reading.Lock()
			defer reading.Unlock()
			r, err := resolved(ctx)
			if err != nil {
				return "", errors.New("the configuration is not valid, see config.txt")
			}
			of := check.Node{Resolved: r, Service: b.n.Service(), Pins: b.n.Pins()}
			if asked == nil {
				of.Running = &st
			}
			return check.Text(check.Run(ctx, of)), nil
		}},
		{Name: "metrics-node.txt", Get: b.d.Metrics()},
		{Name: "metrics-member.txt", Get: func(ctx context.Context) (string, error) { return fromMember(ctx, clientOf(values), "/metrics") }},
		{Name: "unit.txt", Get: through(bundle.Unit, command("systemctl", "cat", b.n.Unit))},
		{Name: "unit-properties.txt", Get: through(bundle.Unit, command("systemctl", "show", b.n.Unit))},
		{Name: "journal.txt", Get: func(ctx context.Context) (string, error) {
			text, err := command("journalctl", "--no-pager", "--output=short-iso-precise", "--lines=2000", "--unit="+b.n.Unit)(ctx)
			return bundle.Log(text), err
		}},
		{Name: "kernel.txt", Get: command("journalctl", "--no-pager", "--output=short-iso-precise", "--lines=300", "--dmesg")},
		{Name: "data-dir.txt", Get: func(ctx context.Context) (string, error) { return listing(ctx, values["data-dir"]) }},
		{Name: "certificates.txt", Get: func(context.Context) (string, error) {
			var text strings.Builder
			for _, x := range st.Certificates {
				fmt.Fprintf(&text, "%s (%s)\n%s\n", x.File, strings.Join(x.Settings, ", "), certificates(x.File))
			}
			return text.String(), asked
		}},
		{Name: "network.txt", Get: inTurn([]string{"ip", "address"}, []string{"ip", "route"}, []string{"ss", "-ltnp"}, []string{"getent", "hosts", "localhost"})},
		{Name: "time.txt", Get: inTurn([]string{"timedatectl"}, []string{"uptime"})},
		{Name: "disks.txt", Get: inTurn([]string{"findmnt"}, []string{"df", "-h"}, []string{"df", "-i"}, []string{"lsblk", "-o", "NAME,TYPE,SIZE,ROTA,SCHED,MOUNTPOINT"})},
	}
	for _, path := range b.n.EnvFiles() {
		parts = append(parts, bundle.Part{Name: "env/" + strings.ReplaceAll(strings.Trim(path, "/"), "/", "_"), Get: through(bundle.Env, file(path))})
	}
	records := b.d.Records()
	parts = append(parts, bundle.Part{Name: "history.txt", Get: func(context.Context) (string, error) {
		all, err := recorder.Read(records)
		var text strings.Builder
		for _, r := range all[max(0, len(all)-500):] {
			text.WriteString(r.Text())
		}
		return text.String(), err
	}})
	entries, _ := os.ReadDir(records)
	for _, e := range entries {
		if e.Type().IsRegular() {
			parts = append(parts, bundle.Part{Name: "recorder/" + e.Name(), Get: file(filepath.Join(records, e.Name()))})
		}
	}
	for _, path := range []string{"/etc/os-release", "/proc/version", "/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/pressure/io", "/proc/pressure/cpu", "/proc/pressure/memory", "/proc/self/mountinfo"} {
		parts = append(parts, bundle.Part{Name: "machine/" + strings.ReplaceAll(strings.Trim(path, "/"), "/", "_"), Get: file(path)})
	}
	if st.MemberPID != 0 {
		for _, name := range []string{"limits", "status", "io", "schedstat"} {
			parts = append(parts, bundle.Part{Name: "member/" + name, Get: file(fmt.Sprintf("/proc/%d/%s", st.MemberPID, name))})
		}
	}
	return parts
}

func asJSON(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text) + "\n", err
}

// through is what a func makes of a part.
func through(clean func(string) string, get func(context.Context) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, err := get(ctx)
		return clean(text), err
	}
}

func file(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		text, err := os.ReadFile(path)
		return string(text), err
	}
}

// command is what a command prints, also where it fails: it may have said why.
func command(name string, args ...string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
		return string(text), err
	}
}

func inTurn(all ...[]string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var b strings.Builder
		for _, c := range all {
			text, err := command(c[0], c[1:]...)(ctx)
			if err != nil {
				text += fmt.Sprintf("(%v)\n", err)
			}
			fmt.Fprintf(&b, "# %s\n%s\n", strings.Join(c, " "), text)
		}
		return b.String(), nil
	}
}

// listing has the names and sizes in a directory, not what the files hold.
func listing(ctx context.Context, dir string) (string, error) {
	if dir == "" {
		return "", errors.New("it is not known where the data is")
	}
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", path, err)
			return nil
		}
		if info, err := e.Info(); err == nil {
			fmt.Fprintf(&b, "%s %12d %s %s\n", info.Mode(), info.Size(), info.ModTime().Format(time.DateTime), path)
		}
		return ctx.Err()
	})
	return b.String(), err
}

// certificates is what anybody may know of those in a file.
func certificates(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "  " + err.Error() + "\n"
	}
	var b strings.Builder
	for len(data) > 0 {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			fmt.Fprintf(&b, "  a block of type %s: %v\n", block.Type, err)
			continue
		}
		names := slices.Clone(c.DNSNames)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
		fmt.Fprintf(&b, "  subject %s; issuer %s; serial %x\n  valid from %s to %s; CA %v; usages %v; for %s\n", c.Subject, c.Issuer, c.SerialNumber,
			c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime), c.IsCA, c.ExtKeyUsage, strings.Join(names, ", "))
	}
	return b.String()
}

// fromMember is what there is under a path on the member's client port.
func fromMember(ctx context.Context, c check.Client, path string) (string, error) {
	t := &http.Transport{DisableKeepAlives: true}
	if strings.HasPrefix(c.URL, "https://") {
		config, err := transport.TLSInfo{TrustedCAFile: c.CA, CertFile: c.Cert, KeyFile: c.Key, InsecureSkipVerify: c.Insecure}.ClientConfig()
		if err != nil {
			return "", err
		}
		t.TLSClientConfig = config
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := t.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return string(text), err
}
