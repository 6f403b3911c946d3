package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Install puts on every host what `make build install` lays down, and nothing
// else, and does what it then says: systemd-sysusers, systemctl daemon-reload,
// systemctl enable. Enabled also because systemd forgets a stopped unit that
// nothing refers to, and with it how and when it stopped.
func (l *Lab) Install(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	dest, err := os.MkdirTemp("", "etcd-node-install")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dest)
	make := exec.CommandContext(ctx, "make", "-C", root, "build", "install", "DESTDIR="+dest)
	// Not the flags of a make that may be running this.
	make.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := make.CombinedOutput(); err != nil {
		return fmt.Errorf("make install: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return l.Each(func(h *Host) error {
		if err := h.Copy(ctx, dest, "/"); err != nil {
			return err
		}
		_, err := h.Sh(ctx, "systemd-sysusers && systemctl daemon-reload && systemctl enable etcd")
		return err
	})
}

// InstallStock puts etcd, etcdctl and etcdutl of the same release on the hosts:
// the documented procedures are played with the programs that they name.
func (l *Lab) InstallStock(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	return l.installStock(ctx, root)
}

// InstallRelease puts etcd, etcdctl and etcdutl of another release on the hosts, such as
// "v3.6.16".
func (l *Lab) InstallRelease(ctx context.Context, release string) error {
	module, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(module)
	text, uses := "module release\n\ngo 1.24\n", "//go:build tools\n\npackage release\n\nimport (\n"
	for _, name := range []string{"server", "etcdctl", "etcdutl"} {
		text += fmt.Sprintf("\nrequire go.etcd.io/etcd/%s/v3 %s\n", name, release)
		uses += fmt.Sprintf("\t_ %q\n", "go.etcd.io/etcd/"+name+"/v3")
	}
	for file, content := range map[string]string{"go.mod": text, "tools.go": uses + ")\n"} {
		if err := os.WriteFile(filepath.Join(module, file), []byte(content), 0o600); err != nil {
			return err
		}
	}
	tidy := exec.CommandContext(ctx, "go", "mod", "tidy")
	tidy.Dir = module
	if out, err := tidy.CombinedOutput(); err != nil {
		return fmt.Errorf("go mod tidy for etcd %s: %w: %s", release, err, out)
	}
	return l.installStock(ctx, module)
}

// installStock builds etcd in a module, and puts it on the hosts.
func (l *Lab) installStock(ctx context.Context, module string) error {
	tree, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	for name, part := range map[string]string{"etcd": "server", "etcdctl": "etcdctl", "etcdutl": "etcdutl"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w",
			"-o", filepath.Join(tree, "usr/bin", name), "go.etcd.io/etcd/"+part+"/v3")
		build.Dir = module
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return l.Each(func(h *Host) error { return h.Copy(ctx, tree, "/") })
}

// Copy copies the files below a directory of this machine to below dest on the
// host: modes as they are, owned by root, directories that exist untouched.
func (h *Host) Copy(ctx context.Context, dir, dest string) error {
	var tree, said bytes.Buffer
	tar := exec.CommandContext(ctx, "tar", "-C", dir, "-c", ".")
	tar.Stdout, tar.Stderr = &tree, &said
	if err := tar.Run(); err != nil {
		return fmt.Errorf("pack %s: %w: %s", dir, err, &said)
	}
	if _, err := h.Run(ctx, "mkdir", "-p", dest); err != nil {
		return err
	}
	_, err := h.Feed(ctx, &tree, "tar", "-C", dest, "-x", "--no-same-owner", "--no-overwrite-dir")
	return err
}
