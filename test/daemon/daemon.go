// Package daemon runs etcd-node in real processes on loopback, amid what its
// unit would give it: directories, variables, and a socket that plays systemd.
package daemon

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// Daemon is one node's daemon in all its runs, of which one at a time counts.
// Its methods are for one goroutine.
type Daemon struct {
	loopback.Member
	// Journal: stderr is a socket, as systemd gives it to a service whose log
	// goes to the journal, and JOURNAL_STREAM names it.
	Journal bool

	cmd   *exec.Cmd     // nil before the first run
	ended chan struct{} // closed when the run is over and all that it said was heard

	mu    sync.Mutex
	news  chan struct{} // closed, and replaced, whenever something was said
	notes []Note
	from  int // the first note that counts
	lines []string
}

// Note is what systemd was told at once.
type Note struct {
	Text string
	At   time.Time
}

// New makes the directories that the unit would.
func New(m loopback.Member) (*Daemon, error) {
	d := &Daemon{Member: m, news: make(chan struct{})}
	for _, dir := range []string{d.Run(), d.Log(), d.Pins()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Run is the runtime directory, Log the recorder's, Pins the pin's.
func (d *Daemon) Run() string  { return filepath.Join(d.Dir, "run") }
func (d *Daemon) Log() string  { return filepath.Join(d.Dir, "log") }
func (d *Daemon) Pins() string { return filepath.Join(d.Dir, "pin") }

// Environ is what the unit gives the daemon, and a shell on the node has. The
// env file of this machine's own cluster is left out.
func (d *Daemon) Environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "ETCD_NODE_ENV_FILE=/dev/null", "RUNTIME_DIRECTORY=" + d.Run(), "LOGS_DIRECTORY=" + d.Log(),
		"STATE_DIRECTORY=" + d.Data() + ":" + d.Pins(),
	}
}

// Start starts cmd as the daemon, in the node's directory. managed: systemd
// waits for it, and hears what it says. What was told before counts no more.
func (d *Daemon) Start(cmd *exec.Cmd, managed bool) (err error) {
	cmd.Dir = d.Dir
	cmd.SysProcAttr = cmp.Or(cmd.SysProcAttr, &syscall.SysProcAttr{})
	// Should this process be killed, so is the daemon, and its member. A ^C is
	// for this process alone.
	cmd.SysProcAttr.Pdeathsig, cmd.SysProcAttr.Setpgid = syscall.SIGKILL, true
	var stderr io.ReadCloser
	if d.Journal {
		stderr, err = journalStream(cmd)
	} else {
		stderr, err = cmd.StderrPipe()
	}
	if err != nil {
		return err
	}
	var systemd *Systemd
	if managed {
		path := filepath.Join(d.Run(), "notify")
		if systemd, err = Listen(path, func(text string) {
			d.said(func() { d.notes = append(d.notes, Note{text, time.Now()}) })
		}); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path)
	}
	d.Mark()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", d.Name, err)
	}
	_ = cmd.Stderr.(io.Closer).Close() // the daemon alone has that end now
	ended := make(chan struct{})
	d.cmd, d.ended = cmd, ended
	go func() {
		defer close(ended)
		defer stderr.Close()
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			d.said(func() { d.lines = append(d.lines, lines.Text()) })
		}
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait() // the state says it
		if systemd != nil {
			systemd.Close()
		}
	}()
	return nil
}

// said adds to what was said.
func (d *Daemon) said(add func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	add()
	close(d.news)
	d.news = make(chan struct{})
}

// PID is the supervisor's.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Ended is closed when the run is over and all that it said was heard.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Signal sends the supervisor a signal.
func (d *Daemon) Signal(sig os.Signal) error { return d.cmd.Process.Signal(sig) }

// Kill ends the daemon, and with it its member, if it runs.
func (d *Daemon) Kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill() // an error means that it has ended
		<-d.ended
	}
}
