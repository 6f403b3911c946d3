package recorder

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	secretKey   = "/registry/secrets/the-key"
	secretValue = "the-value-of-it"
	childEnv    = "RECORDER_TEST_CHILD" // a data dir: be the member there
	childFD     = 3
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := member(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(99)
		}
	}
	os.Exit(m.Run())
}

// member runs the real etcd with the log pipe, which warns of every request as
// slow, and when told so logs numbered lines until it is killed.
func member(dir string) error {
	if err := unix.SetNonblock(childFD, true); err != nil {
		return err
	}
	lines, err := NewLineWriter(os.NewFile(childFD, "log"))
	if err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Dir, cfg.WarningApplyDuration = dir, time.Nanosecond
	socket, _ := url.Parse("unix://" + filepath.Join(dir, "s")) // no port to collide on
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*socket}, []url.URL{*socket}
	peer, _ := url.Parse("http://127.0.0.1:0")
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	if err := cfg.Validate(); err != nil {
		return err
	}
	log := cfg.GetLogger().WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, lines.Core()) }))
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	<-e.Server.ReadyNotify()
	ctx := context.Background()
	if _, err := e.Server.Put(ctx, &etcdserverpb.PutRequest{Key: []byte(secretKey), Value: []byte(secretValue)}); err != nil {
		return err
	}
	if _, err := e.Server.Range(ctx, &etcdserverpb.RangeRequest{Key: []byte(secretKey)}); err != nil {
		return err
	}
	if _, err := e.Server.Txn(ctx, &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestRange{
		RequestRange: &etcdserverpb.RangeRequest{Key: []byte(secretKey)},
	}}}}); err != nil {
		return err
	}
	fmt.Println("logged")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	go func() { // ends with the test, however that ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	quiet := zap.New(lines.core(), zap.AddCaller())
	for i := 0; ; i++ {
		quiet.Warn("alive", zap.Int("n", i))
		if i == 1000 {
			fmt.Println("many")
		}
	}
}

// child is a member process.
type child struct {
	*exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
	stderr *bytes.Buffer // complete after Wait
	lines  chan []string // delivers once, after the end
}

// start starts a member on a data dir.
func start(t *testing.T, dir string) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(os.Args[0]), stderr: new(bytes.Buffer), lines: make(chan []string, 1)}
	c.Env = append(os.Environ(), childEnv+"="+dir)
	c.ExtraFiles = []*os.File{w}
	c.Stderr = c.stderr
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer r.Close()
		c.lines <- LastLines(r)
	}()
	c.stdin, c.stdout = in, bufio.NewReader(out)
	limit := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }) // one that hangs fails the test
	t.Cleanup(func() {
		limit.Stop()
		_ = c.Process.Kill()
	})
	return c
}

// logged waits until a member has logged what there is to say on its requests.
func (c *child) logged(t *testing.T) {
	t.Helper()
	if line, err := c.stdout.ReadString('\n'); err != nil || line != "logged\n" {
		_ = c.Wait()
		t.Fatalf("%q, %v\n%s", line, err, c.stderr)
	}
}

// TestSlowRequests: etcd's warnings quote the requests. The warnings of a member
// that is killed right after them arrive, and no request does.
func TestSlowRequests(t *testing.T) {
	c := start(t, t.TempDir())
	c.logged(t)
	_ = c.Process.Kill()
	_ = c.Wait()
	if out := c.stderr.String(); !strings.Contains(out, secretKey) || strings.Count(out, "apply request took too long") < 3 {
		t.Fatalf("etcd no longer says what must be kept out:\n%s", out)
	}
	all := strings.Join(<-c.lines, "\n")
	slow := regexp.MustCompile(`(?m)^\S+ warn txn/util.go:\d+ apply request took too long \{"took": "[^"]+", "expected-duration": "1ns"\}$`)
	if n := len(slow.FindAllString(all, -1)); n < 3 {
		t.Errorf("%d lines on slow requests:\n%s", n, all)
	}
	for _, secret := range []string{"the-key", "the-value", "registry"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s was sent:\n%s", secret, all)
		}
	}
}

// TestKilledWhileLogging: SIGKILL strikes in the middle of a line. All before
// it are there, whole and in order.
func TestKilledWhileLogging(t *testing.T) {
	number := regexp.MustCompile(`^\S+ warn recorder/etcd_test.go:\d+ alive \{"n": (\d+)\}$`)
	for range 3 {
		c := start(t, t.TempDir())
		c.logged(t)
		fmt.Fprintln(c.stdin)
		// The last numbers that it has sent before it says so.
		if _, err := c.stdout.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		lines := <-c.lines
		if len(lines) < linesLimit*3/4 { // how many fit depends on their length
			t.Errorf("%d lines", len(lines))
		}
		first := -1
		for i, l := range lines {
			n := -1
			if m := number.FindStringSubmatch(l); m != nil {
				n, _ = strconv.Atoi(m[1])
			}
			if i == 0 {
				first = n
			}
			if n < 0 || n != first+i {
				t.Fatalf("line %d of %d after number %d: %q", i, len(lines), first, l)
			}
		}
	}
}

// TestPanickingMember: the last word of a member that etcd ends.
func TestPanickingMember(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "member", "snap", "db")
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(db, bytes.Repeat([]byte("garbage "), 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	_ = c.Wait()
	lines := <-c.lines
	if len(lines) == 0 || !strings.Contains(lines[len(lines)-1], ` panic backend/backend.go:`) ||
		!strings.Contains(lines[len(lines)-1], `failed to open database {"path": "`+db+`", "error": "`) {
		t.Errorf("%q\n%s", lines, c.stderr)
	}
}
