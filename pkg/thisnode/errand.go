package thisnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/etcd-node/etcd-node/pkg/control"
)

// Do has the daemon go on an errand, at a path of its socket, and tells say what it
// says on the way. The error is a [*NoAnswer] if there is no daemon or this user may
// not, and a [*control.Error] if the daemon has said how it failed.
func (d *Daemon) Do(ctx context.Context, path string, request any, say func(string)) error {
	if _, _, err := d.Ask(ctx); err != nil {
		return err
	}
	err := control.Do(ctx, d.at, path, request, say)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &NoAnswer{error: fmt.Errorf("%w: run this as root", err), Forbidden: true}
	case control.IsNobody(err), errors.Is(err, errors.ErrUnsupported):
		return &NoAnswer{error: fmt.Errorf("the daemon is an older etcd-node, which cannot do that: systemctl restart %s", d.node.Service()), Stopped: true}
	}
	return err
}

// Wish is what a reload sends. systemd gives the processes of ExecReload= the
// environment that it would start the daemon with, afresh; whoever else calls has
// another one, and the daemon reads its unit's files by itself.
func (n *Node) Wish() (w control.Wish) {
	if n.environ.OfSystemd() && n.unitOf(os.Getpid()) == n.Unit {
		w.Environ = n.environ
	}
	return w
}

// Metrics returns the func that gets those on the socket of the daemon that has
// answered last; it may run beside other questions.
func (d *Daemon) Metrics() func(ctx context.Context) (string, error) {
	at := d.at
	return func(ctx context.Context) (string, error) {
		if at == "" {
			return "", errors.New("no daemon answers")
		}
		answer, err := control.Get(ctx, at, "/metrics")
		if err != nil {
			return "", err
		}
		defer answer.Close()
		text, err := io.ReadAll(io.LimitReader(answer, 4<<20))
		return string(text), err
	}
}

// EnvFiles are the env files that systemd reads for the daemon, or the one that stands
// in their place.
func (n *Node) EnvFiles() (paths []string) {
	in := n.Written()
	if in.EnvFile != "" {
		return []string{in.EnvFile}
	}
	for _, f := range n.file.EnvFiles {
		paths = append(paths, f.Path)
	}
	return paths
}
