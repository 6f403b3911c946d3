package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// ErrCannot says that hosts cannot be booted on this machine: not root, no
// namespaces, not Linux enough. The error that wraps it says which.
var ErrCannot = errors.New("cannot boot lab hosts here")

// exitCannot is the script's exit status for [ErrCannot].
const exitCannot = 69

// The script's own defaults; the environment may set others for both.
const (
	network = "192.168.122" // LAB_NET: the lab's /24
	prefix  = "etcd"        // LAB_PREFIX: hosts are etcd-1, etcd-2, …
	first   = 5             // LAB_FIRST: the last byte of host 1's address
)

// Lab is a set of running hosts on one private network.
type Lab struct {
	Hosts []*Host

	name   string // prefix of every namespace and cgroup
	script string
	hold   *exec.Cmd
	stdin  io.Closer
}

// Start boots n fresh hosts. name sets them apart from other labs on this
// machine (their addresses may be the same: labs do not see each other). The
// hosts end with Close, and also when this process ends in any other way. What
// the script says, and the first time that is the building of its image, goes
// to log; ctx is for the start only. Fails with [ErrCannot] where the machine is not up to it.
func Start(ctx context.Context, name string, n int, log io.Writer) (*Lab, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	l := &Lab{name: name, script: filepath.Join(root, "test/lab/lab")}
	for i := 1; i <= n; i++ {
		l.Hosts = append(l.Hosts, &Host{
			lab:  l,
			Name: fmt.Sprintf("%s-%d", prefix, i),
			IP:   fmt.Sprintf("%s.%d", network, first+i-1),
		})
	}

	var said bytes.Buffer
	// Not under ctx, which would kill it before it has tidied up.
	l.hold = l.command(context.WithoutCancel(ctx), "hold", fmt.Sprint(n))
	l.hold.Stderr = io.MultiWriter(log, &said)
	// Ctrl-C is for us alone: the script tidies up once we are gone.
	l.hold.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if l.stdin, err = l.hold.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.hold.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.hold.Start(); err != nil {
		return nil, fmt.Errorf("start the lab: %w", err)
	}
	defer context.AfterFunc(ctx, func() { l.stdin.Close() })()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		err := l.hold.Wait()
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		last := strings.TrimPrefix(lines[len(lines)-1], "lab: ")
		if l.hold.ProcessState.ExitCode() == exitCannot {
			return nil, fmt.Errorf("%w: %s", ErrCannot, strings.TrimPrefix(last, "cannot boot hosts here: "))
		}
		return nil, fmt.Errorf("start the lab: %v: %s", err, last)
	}
	return l, nil
}

// Close destroys all hosts and leaves nothing behind.
func (l *Lab) Close() error {
	if err := l.stdin.Close(); err != nil {
		return err
	}
	return l.hold.Wait()
}

// First is the lab's first n hosts as a lab of their own. It ends with the whole.
func (l *Lab) First(n int) *Lab {
	sub := *l
	sub.Hosts = l.Hosts[:n]
	return &sub
}

// Each runs f for every host at the same time and returns what went wrong.
func (l *Lab) Each(f func(h *Host) error) error {
	errs := make([]error, len(l.Hosts))
	var wg sync.WaitGroup
	for i, h := range l.Hosts {
		wg.Go(func() {
			if err := f(h); err != nil {
				errs[i] = fmt.Errorf("%s: %w", h.Name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (l *Lab) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.script, args...)
	cmd.Env = append(os.Environ(), "LAB_NAME="+l.name, "LAB_NET="+network, "LAB_PREFIX="+prefix, fmt.Sprintf("LAB_FIRST=%d", first))
	return cmd
}

// run runs a subcommand of the script and returns its stdout.
func (l *Lab) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := l.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("lab %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// Root is the top directory of this project's working tree.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod here or above: run this inside the project's tree")
		}
		dir = filepath.Dir(dir)
	}
}
