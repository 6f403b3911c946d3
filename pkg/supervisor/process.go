package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

const (
	// sendTimeout bounds a message to a member that does not read: the pipe
	// takes 64 KiB, so only a frozen one ever fills it.
	sendTimeout = time.Second
	// crashLimit is how much of a crash is kept: what happened, and what some
	// hundred goroutines were doing.
	crashLimit = 256 << 10
)

// Process is a member process. Its channels are read by the loop only.
type Process struct {
	PID      int
	Messages <-chan pipe.Message
	// Exited delivers once, after the last message.
	Exited <-chan Exit
	Send   func(pipe.Message) error
	Kill   func() // SIGKILL
	Quit   func() // SIGQUIT: a Go program writes its goroutines and ends
}

// Exit is the end of a member process.
type Exit struct {
	Failure *failure.Failure   // what the exit itself says; nil: there was no process
	Status  syscall.WaitStatus // 1 << 8 is exit status 1, 9 is SIGKILL
	Crash   string             // what the Go runtime wrote
	Lines   []string           // the log's last lines of level warn and above
}

// StartProcess returns the func that starts a member process: exe with the
// role "member" and the launch's flags, in a process group of its own, with
// the given standard streams. The process dies with this one.
func StartProcess(exe string, environ []string, stdout, stderr *os.File, log *zap.Logger) func(Launch) (*Process, error) {
	env := memberEnviron(environ)
	return func(l Launch) (*Process, error) {
		var ends closers
		defer ends.close() // ours are taken out of it once the process runs
		events, eventsW, err := ends.pipe()
		if err != nil {
			return nil, err
		}
		commandsR, commands, err := ends.pipe()
		if err != nil {
			return nil, err
		}
		crash, crashW, err := ends.pipe()
		if err != nil {
			return nil, err
		}
		logs, logsW, err := ends.pipe()
		if err != nil {
			return nil, err
		}
		// An error: it keeps the size that it has, which will do.
		_, _ = unix.FcntlInt(logsW.Fd(), unix.F_SETPIPE_SZ, recorder.LogPipeSize)

		env := env
		if l.Environ != nil {
			env = memberEnviron(l.Environ)
		}
		cmd := &exec.Cmd{
			Path:       cmp.Or(l.Exe, exe),
			Args:       append([]string{"etcd-node", "member"}, l.Args...),
			Env:        env,
			Stdout:     stdout,
			Stderr:     stderr,
			ExtraFiles: []*os.File{eventsW, commandsR, crashW, logsW}, // from pipe.FDEvents on
			SysProcAttr: &syscall.SysProcAttr{
				Setpgid:   true,            // Ctrl-C is for the supervisor alone
				Pdeathsig: syscall.SIGKILL, // ports and locks are free when we are gone
			},
		}
		started := make(chan error)
		ended := make(chan syscall.WaitStatus, 1)
		go func() {
			// The parent-death signal comes when the *thread* that forked
			// ends, so this goroutine keeps its thread until the member ended.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if err := cmd.Start(); err != nil {
				started <- err
				return
			}
			started <- nil
			_ = cmd.Wait() // the status says it all, and is set even on error
			ws, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
			ended <- ws
		}()
		if err := <-started; err != nil {
			return nil, fmt.Errorf("start %s: %w", exe, err)
		}
		ends.keep(events, commands, crash, logs)

		messages := make(chan pipe.Message)
		exited := make(chan Exit, 1)
		go func() {
			var e Exit
			var read sync.WaitGroup
			read.Go(func() { e.Crash = readCrash(crash) })
			read.Go(func() { e.Lines = readLog(logs) })
			receive(events, messages, log)
			read.Wait()
			e.Status = <-ended
			commands.Close()
			e.Failure = failure.FromExit(e.Status, e.Crash)
			exited <- e
		}()
		return &Process{
			PID:      cmd.Process.Pid,
			Messages: messages,
			Exited:   exited,
			Send:     pipe.NewWriter(commands, sendTimeout).Send,
			Kill:     func() { _ = cmd.Process.Kill() }, // an error means it has ended
			Quit:     func() { _ = cmd.Process.Signal(syscall.SIGQUIT) },
		}, nil
	}
}

// receive passes messages on until the member's end of the pipe is closed.
func receive(events *os.File, messages chan<- pipe.Message, log *zap.Logger) {
	defer events.Close()
	r := pipe.NewReader(events)
	for {
		m, err := r.Next()
		switch {
		case err == nil:
			messages <- m
		case errors.Is(err, pipe.ErrMalformed):
			log.Warn("ignored a message of the member", zap.Error(err))
		default:
			return
		}
	}
}

// readCrash returns the beginning of what the runtime wrote while crashing.
func readCrash(r *os.File) string {
	defer r.Close()
	text, _ := io.ReadAll(io.LimitReader(r, crashLimit))
	_, _ = io.Copy(io.Discard, r) // a full pipe would stop the crashing member
	return string(text)
}

// readLog returns the last lines of the member's log. It reads as long as the
// member lives, so that the pipe does not fill.
func readLog(r *os.File) []string {
	defer r.Close()
	return recorder.LastLines(r)
}

// memberEnviron is the environment without what is not the member's: systemd's
// notification socket and watchdog (it must not speak for the unit), and all
// settings, which it gets as flags.
func memberEnviron(environ []string) []string {
	var env []string
	for _, kv := range environ {
		k, _, _ := strings.Cut(kv, "=")
		switch {
		case k == "NOTIFY_SOCKET", strings.HasPrefix(k, "WATCHDOG_"), strings.HasPrefix(k, "LISTEN_"), strings.HasPrefix(k, "ETCD_"):
		default:
			env = append(env, kv)
		}
	}
	return env
}

// closers closes files on the way out, except those that are kept.
type closers []*os.File

func (c *closers) pipe() (r, w *os.File, err error) {
	r, w, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe to the member: %w", err)
	}
	*c = append(*c, r, w)
	return r, w, nil
}

func (c *closers) keep(files ...*os.File) {
	rest := (*c)[:0]
next:
	for _, f := range *c {
		for _, k := range files {
			if f == k {
				continue next
			}
		}
		rest = append(rest, f)
	}
	*c = rest
}

func (c *closers) close() {
	for _, f := range *c {
		f.Close()
	}
}
