package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// TestMain makes this test binary the member process too: the supervisor
// starts it as "etcd-node member", as it does the real one. What it does is
// its first argument.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[0] == "etcd-node" && os.Args[1] == "member" {
		if os.Args[2] == "parent" {
			os.Exit(playParent())
		}
		os.Exit(playMember(os.Args[2]))
	}
	os.Exit(m.Run())
}

func playMember(part string) int {
	events := pipe.NewWriter(os.NewFile(pipe.FDEvents, "events"), time.Second)
	commands := pipe.NewReader(os.NewFile(pipe.FDCommands, "commands"))
	start, err := commands.Next()
	if err != nil {
		return 1
	}
	say := func(text string) {
		events.Send(pipe.Message{Kind: pipe.View, View: &status.View{Progress: text}})
	}
	switch part {
	case "deaf": // does not notice that its supervisor is gone
		say("deaf")
		select {}
	case "serve":
		events.Send(pipe.Message{Kind: pipe.View, View: &status.View{Name: "a", Ready: true, Leader: "a"}})
		for {
			switch m, err := commands.Next(); {
			case err != nil:
				return 9
			case m.Kind == pipe.Stop:
				return 0
			} // else it is told what its supervisor knows
		}
	case "secret":
		say(start.Secrets["discovery-password"])
		say(strings.Join(os.Environ(), " "))
	case "crash":
		f := os.NewFile(pipe.FDCrash, "crash")
		fmt.Fprint(f, "[signal SIGBUS: bus error code=0x2]\n\n", strings.Repeat("goroutine 1\n", 100_000))
		return 2
	case "last words":
		syscall.SetNonblock(pipe.FDLog, true)
		w, err := recorder.NewLineWriter(os.NewFile(pipe.FDLog, "log"))
		if err != nil {
			return 1
		}
		log := zap.New(w.Core(), zap.AddCaller(), zap.WithFatalHook(killHook{}))
		for i := range 1000 { // five a second of one message are kept
			log.Warn(fmt.Sprint("line ", i))
		}
		log.Fatal("the end")
	case "garbage in the log":
		f := os.NewFile(pipe.FDLog, "log")
		fmt.Fprint(f, "\x00\xff\x1b[2J\n\n", strings.Repeat("x", 1<<20), "\nhalf a li")
		return 3
	case "garbage":
		f := os.NewFile(pipe.FDEvents, "events")
		fmt.Fprintln(f, "{]")
		fmt.Fprintln(f, strings.Repeat("x", 3*pipe.MaxLine))
		fmt.Fprintln(f, `{"v":99,"kind":"view"}`)
		say("still here")
	}
	return 3
}

// killHook is an end that leaves no time for anything.
type killHook struct{}

func (killHook) OnWrite(*zapcore.CheckedEntry, []zapcore.Field) {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func starter(t *testing.T, environ []string) func(Launch) (*Process, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return StartProcess(exe, environ, nil, os.Stderr, zap.NewNop())
}

// drain reads a process to its end.
func drain(t *testing.T, p *Process) (texts []string, f *failure.Failure) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case m := <-p.Messages:
			texts = append(texts, m.View.Progress)
		case e := <-p.Exited:
			return texts, e.Failure
		case <-deadline:
			p.Kill()
			t.Fatal("the member process did not end")
		}
	}
}

func TestProcessKeepsSecretsOutOfArgvAndEnvironment(t *testing.T) {
	start := starter(t, []string{"PATH=/bin", "NOTIFY_SOCKET=/run/x", "WATCHDOG_USEC=1", "WATCHDOG_PID=1", "ETCD_DISCOVERY_PASSWORD=geheim", "GOMAXPROCS=2"})
	p, err := start(Launch{Args: []string{"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Send(pipe.Message{Kind: pipe.Start, Secrets: map[string]string{"discovery-password": "geheim"}}); err != nil {
		t.Fatal(err)
	}
	texts, f := drain(t, p)
	if want := []string{"geheim", "PATH=/bin GOMAXPROCS=2"}; !slices.Equal(texts, want) {
		t.Errorf("the member got %q, want %q", texts, want)
	}
	if strings.Contains(string(argv), "geheim") {
		t.Errorf("argv %q", argv)
	}
	if f.Cause != "ended with exit status 3 without giving a reason" {
		t.Errorf("cause %q", f.Cause)
	}
}

func TestProcessCrashIsRecognised(t *testing.T) {
	p, err := starter(t, nil)(Launch{Args: []string{"crash"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Send(pipe.Message{Kind: pipe.Start})
	if _, f := drain(t, p); f.ID != "data-damaged" || f.Exit != failure.ExitData {
		t.Errorf("failure %+v", f)
	}
}

func TestProcessGarbageIsIgnored(t *testing.T) {
	p, err := starter(t, nil)(Launch{Args: []string{"garbage"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Send(pipe.Message{Kind: pipe.Start})
	if texts, _ := drain(t, p); !slices.Equal(texts, []string{"still here"}) {
		t.Errorf("heard %q", texts)
	}
}

// What the member logged right before a SIGKILL is not lost.
func TestProcessLastWords(t *testing.T) {
	lines := func(part string) []string {
		p, err := starter(t, nil)(Launch{Args: []string{part}})
		if err != nil {
			t.Fatal(err)
		}
		p.Send(pipe.Message{Kind: pipe.Start})
		select {
		case e := <-p.Exited:
			return e.Lines
		case <-time.After(30 * time.Second):
			p.Kill()
			t.Fatal("the member process did not end")
			return nil
		}
	}
	for range 5 {
		l := lines("last words")
		if len(l) != 200 || !strings.Contains(l[0], "line 801") || !strings.Contains(l[198], "line 999") || !strings.Contains(l[199], "fatal") || !strings.Contains(l[199], "the end") {
			t.Fatalf("%d lines: %q", len(l), l)
		}
	}
	if l := lines("garbage in the log"); len(l) != 3 || l[2] != "half a li" || len(l[1]) > 2<<10 {
		t.Errorf("%d lines: %.200q", len(l), l)
	}
}

func TestProcessStops(t *testing.T) {
	p, err := starter(t, nil)(Launch{Args: []string{"serve"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Send(pipe.Message{Kind: pipe.Start})
	<-p.Messages
	p.Send(pipe.Message{Kind: pipe.Stop})
	if _, f := drain(t, p); f.Cause != "ended with exit status 0 without giving a reason" {
		t.Errorf("cause %q", f.Cause)
	}
}

// The kernel ends the member when its supervisor ends, whatever the member
// does. The supervisor here is a process of its own that is killed.
func TestProcessDiesWithItsSupervisor(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := &exec.Cmd{Path: exe, Args: []string{"etcd-node", "member", "parent"}}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	parent.Process.Kill()
	parent.Wait()
	for deadline := time.Now().Add(30 * time.Second); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the member has outlived its supervisor")
		}
	}
}

// alive reports whether pid is a process that is not a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// playParent starts a member that hears nothing, says its pid, and waits.
func playParent() int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	p, err := StartProcess(exe, nil, nil, nil, zap.NewNop())(Launch{Args: []string{"deaf"}})
	if err != nil {
		return 1
	}
	p.Send(pipe.Message{Kind: pipe.Start})
	<-p.Messages
	fmt.Println(p.PID)
	select {}
}

func TestProcessThatCannotStart(t *testing.T) {
	before := descriptors(t)
	_, err := StartProcess("/does/not/exist", nil, nil, nil, zap.NewNop())(Launch{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// A supervisor lives for years: 200 restarts of a real process must leave
// nothing behind.
func TestRestartsLeaveNothingBehind(t *testing.T) {
	const restarts = 200
	serving := make(chan struct{}, 1)
	s := New(Options{
		Log: zap.NewNop(),
		Notify: func(assignments ...string) error {
			if strings.HasPrefix(assignments[0], "STATUS=serving") {
				select {
				case serving <- struct{}{}:
				default:
				}
			}
			return nil
		},
		Prepare: func(context.Context, func(string)) (Launch, error) {
			return Launch{Args: []string{"serve"}, StopTimeout: 10 * time.Second}, nil
		},
		Start: starter(t, nil),
		Delay: func(failure.Class, int) time.Duration { return 0 },
	})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx) }()

	var fds, goroutines int
	for i := range restarts + 1 {
		select {
		case <-serving:
		case <-time.After(30 * time.Second):
			t.Fatalf("restart %d: not serving", i)
		}
		st, _ := s.Status(ctx)
		if st.Restarts != i {
			t.Fatalf("restart %d: status says %d", i, st.Restarts)
		}
		if i == 10 { // after pools and caches have filled
			fds, goroutines = descriptors(t), runtime.NumGoroutine()
		}
		if i < restarts {
			syscall.Kill(st.MemberPID, syscall.SIGKILL)
		}
	}
	if n := descriptors(t); n > fds {
		t.Errorf("%d descriptors after %d restarts, %d after 10", n, restarts, fds)
	}
	if n := runtime.NumGoroutine(); n > goroutines+2 { // the last process's may not have ended yet
		t.Errorf("%d goroutines after %d restarts, %d after 10", n, restarts, goroutines)
	}
	cancel()
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
