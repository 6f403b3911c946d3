package config

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/resolve")

// TestResolve runs every testdata/resolve/*.txtar: what the operator wrote
// (args, environ, /etc/default/etcd) on a machine (host: address, host name,
// perhaps "data"), and what comes of it: what detection was asked, the table
// that etcd-node config prints, and the notices.
func TestResolve(t *testing.T) {
	files, err := filepath.Glob("testdata/resolve/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := newCase(a)
			c.in.Host = goodHost()
			want := slices.Clone(a.Files)
			a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "request" || f.Name == "config" || f.Name == "notices" })
			for _, f := range c.run(t) {
				if len(f.Data) > 0 {
					a.Files = append(a.Files, f)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got, want := string(txtar.Format(a)), string(txtar.Format(&txtar.Archive{Comment: a.Comment, Files: want})); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// resolveCase is a machine and what its operator wrote.
type resolveCase struct {
	in   Input
	addr netip.Addr // of eth0
	host string
	asks []string // what detection was asked
}

func newCase(a *txtar.Archive) *resolveCase {
	c := &resolveCase{addr: netip.MustParseAddr("192.168.122.5"), host: "etcd-1.lab.example"}
	c.in.Hostname = func() (string, error) { return c.host, nil }
	files, dirs := fstest.MapFS{}, fstest.MapFS{}
	c.in.ReadFile = func(path string) ([]byte, error) { return files.ReadFile(strings.TrimPrefix(path, "/")) }
	c.in.ReadDir = func(path string) ([]fs.DirEntry, error) { return dirs.ReadDir(strings.TrimPrefix(path, "/")) }
	for _, f := range a.Files {
		lines := strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		switch f.Name {
		case "args":
			c.in.Args = lines
		case "environ":
			c.in.Environ = lines
		case "host":
			words := strings.Fields(lines[0])
			c.addr, c.host = netip.MustParseAddr(words[0]), words[1]
		case "data":
			dirs[strings.TrimPrefix(lines[0], "/")] = &fstest.MapFile{}
		default:
			files[strings.TrimPrefix(f.Name, "/")] = &fstest.MapFile{Data: f.Data}
			if f.Name == DefaultEnvFile {
				c.in.EnvFile = DefaultEnvFile
			}
		}
	}
	return c
}

// find has package netdetect look at the machine of the case.
func (c *resolveCase) find(ctx context.Context, req netdetect.Request) (netdetect.Result, error) {
	c.asks = append(c.asks, fmt.Sprintf("%+v", req))
	return netdetect.Find(ctx, &netdetect.Host{
		Addresses: func() ([]netdetect.Address, error) {
			return []netdetect.Address{
				{Addr: netip.MustParseAddr("127.0.0.1"), Bits: 8, Interface: "lo", Loopback: true, Up: true},
				{Addr: c.addr, Bits: 24, Interface: "eth0", Up: true},
			}, nil
		},
		DefaultInterface: func() (string, error) { return "eth0", nil },
		Source:           func(netip.Addr) (netip.Addr, error) { return c.addr, nil },
		Lookup: func(_ context.Context, name string) ([]netip.Addr, error) {
			if name == c.host {
				return []netip.Addr{netip.MustParseAddr("127.0.1.1"), c.addr}, nil
			}
			return []netip.Addr{netip.MustParseAddr("192.168.122.99")}, nil
		},
		Hostname: func() (string, error) { return c.host, nil },
	}, req)
}

func (c *resolveCase) run(t *testing.T) []txtar.File {
	l, err := Load(c.in)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	r, err := l.Resolve(t.Context(), c.find)
	if err != nil {
		t.Fatalf("Resolve: %v", err)
	}
	again, err := l.Resolve(t.Context(), c.find)
	if err != nil || !slices.Equal(again.Settings, r.Settings) || !slices.Equal(again.Notices, r.Notices) {
		t.Errorf("a second Resolve says %+v, %v", again, err)
	}
	var table bytes.Buffer
	if err := r.Write(&table, "table", false); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&table, "\nname %s, data %s, wal %q, loopback only: %v\n", r.Name, r.DataDir, r.WALDir, r.LoopbackOnly)
	ask := ""
	if len(c.asks) > 0 {
		ask = c.asks[0] + "\n"
	}
	notices := ""
	for _, n := range r.Notices {
		notices += n + "\n"
	}
	return []txtar.File{{Name: "request", Data: []byte(ask)}, {Name: "config", Data: trimLines(table.Bytes())}, {Name: "notices", Data: []byte(notices)}}
}

func trimLines(b []byte) []byte {
	lines := strings.Split(string(b), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return []byte(strings.Join(lines, "\n"))
}

// TestRefusal: what detection refuses is an invalid configuration, what it
// could not find yet is not.
func TestRefusal(t *testing.T) {
	l, err := Load(Input{Environ: []string{"ETCD_NODE_INTERFACE=eth0"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(t.Context(), func(context.Context, netdetect.Request) (netdetect.Result, error) {
		return netdetect.Result{}, fmt.Errorf("look: %w", &netdetect.Refusal{Reason: "two addresses", Found: "10.0.0.1, 10.0.0.2 on eth0", Hint: "set ETCD_PEER"})
	})
	var invalid *settings.Invalid
	if !errors.As(err, &invalid) || err.Error() != "two addresses; found 10.0.0.1, 10.0.0.2 on eth0 (set ETCD_PEER)" {
		t.Errorf("a refusal: %v", err)
	}
	pending := &netdetect.Pending{Reason: "no address on eth0 yet"}
	_, err = l.Resolve(t.Context(), func(context.Context, netdetect.Request) (netdetect.Result, error) {
		return netdetect.Result{}, pending
	})
	if errors.As(err, &invalid) || !errors.Is(err, pending) {
		t.Errorf("pending: %v", err)
	}
}
