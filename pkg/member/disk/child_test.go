package disk

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

const childMark = "RESERVE_TEST_MEMBER"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		if err := child(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	os.Exit(m.Run())
}

// child is a member process as package member makes one: a Keeper, polled
// before the real etcd starts and beside it. With size -1 it has no Keeper.
func child(dataDir, walDir, size string) error {
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return err
	}
	m := loopback.New("a", "")
	cfg := m.Config()
	cfg.Dir, cfg.WalDir = dataDir, walDir
	cfg.BackendBatchInterval = 10 * time.Millisecond // a full disk shows when the database commits
	cfg.LogLevel = "warn"
	log := zap.Must(zap.NewProduction())
	if n >= 0 {
		k := NewKeeper(Options{MemberDir: filepath.Join(dataDir, "member"), WALDir: walDir, Size: n, Log: log})
		k.Poll()
		go k.Run(context.Background())
	}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	<-e.Server.ReadyNotify()
	fmt.Println("ready", m.Client)
	return <-e.Err()
}

// process is such a process, seen from the test.
type process struct {
	cmd    *exec.Cmd
	stderr *strings.Builder // after ended
	ended  chan struct{}
	client *clientv3.Client
}

// start starts one. Its client is nil if it ended before it was ready.
func start(t *testing.T, dataDir, walDir string, size int64) *process {
	t.Helper()
	p := &process{stderr: &strings.Builder{}, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], dataDir, walDir, strconv.FormatInt(size, 10))
	p.cmd.Env = append(os.Environ(), childMark+"=1", "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(p.kill)

	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if addr, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				ready <- addr
			}
		}
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	select {
	case addr := <-ready:
		p.client, err = clientv3.New(clientv3.Config{Endpoints: []string{addr}, Logger: zap.NewNop()})
		must(t, err)
		t.Cleanup(func() { _ = p.client.Close() })
	case <-p.ended:
	case <-time.After(poll.Patience):
		t.Fatal("neither ready nor ended after a minute")
	}
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// diedOfFullDisk waits for the end and checks what etcd said last.
func (p *process) diedOfFullDisk(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(poll.Patience):
		t.Fatal("it lives on")
	}
	if p.cmd.ProcessState.ExitCode() != 1 || !p.has("no space left on device") {
		t.Fatalf("%v: %s", p.cmd.ProcessState, p.last())
	}
	for line := range strings.Lines(p.stderr.String()) {
		if line, _, _ := strings.Cut(line, `,"stacktrace"`); !strings.Contains(line, "insecurely") && !strings.Contains(line, "pprof") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// last is the message with which etcd ended, without where in the code.
func (p *process) last() string {
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
	line, _, _ := strings.Cut(lines[len(lines)-1], `,"stacktrace"`)
	return line
}

func (p *process) has(part string) bool { return strings.Contains(p.stderr.String(), part) }

// writer puts values one after the other and remembers what was acknowledged.
type writer struct {
	value string
	n     int
	acked map[string]int
}

const keys = 200

func newWriter() *writer {
	return &writer{value: strings.Repeat("v", 64<<10), acked: map[string]int{}}
}

// put writes until stop says so or a put fails.
func (w *writer) put(t *testing.T, p *process, stop func() bool) error {
	t.Helper()
	for !stop() {
		w.n++
		key := fmt.Sprintf("k%d", w.n%keys)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := p.client.Put(ctx, key, fmt.Sprintf("%d %s", w.n, w.value))
		cancel()
		if err != nil {
			return err
		}
		w.acked[key] = w.n
	}
	return nil
}

// times is a stop after n.
func times(n int) func() bool { return func() bool { n--; return n < 0 } }

// nothingLost checks that each key has the value that was acknowledged last, or
// the one whose outcome is unknown.
func (w *writer) nothingLost(t *testing.T, p *process) {
	t.Helper()
	for key, n := range w.acked {
		r, err := p.client.Get(t.Context(), key)
		must(t, err)
		got := 0
		if len(r.Kvs) == 1 {
			_, _ = fmt.Sscan(string(r.Kvs[0].Value), &got)
		}
		if got < n {
			t.Errorf("%s is %d, %d was acknowledged", key, got, n)
		}
	}
}
