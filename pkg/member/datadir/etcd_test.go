package datadir

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// silence is how long etcd must say nothing to be called stuck: twenty times
// what the healthy starts of these tests take.
const silence = 3 * time.Second

const roleVar = "DATADIR_TEST_MEMBER"

// TestMain makes the test binary a real etcd when it is told so: what a kill
// leaves behind only a process can show.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		var s spec
		if err := json.Unmarshal([]byte(role), &s); err != nil {
			panic(err)
		}
		s.run()
	}
	os.Exit(m.Run())
}

// spec describes a member.
type spec struct {
	Name, Dir, WALDir string
	Peer, Client      string
	Cluster           string // "" for itself alone
	KillAt            string // the log message at which it gets SIGKILL
	SnapshotCount     uint64
	Segment           int64 // bytes of a WAL file
}

// alone is a cluster of one in a new directory.
func alone(t *testing.T) spec {
	return spec{Name: "m1", Dir: filepath.Join(t.TempDir(), "data"), Peer: loopback.Address(), Client: loopback.Address()}
}

func (s spec) run() {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.WalDir = s.Name, s.Dir, s.WALDir
	peer, client := url.URL{Scheme: "http", Host: s.Peer}, url.URL{Scheme: "http", Host: s.Client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.InitialCluster = fmt.Sprintf("%s=%s", s.Name, peer.String())
	if s.Cluster != "" {
		cfg.InitialCluster, cfg.ClusterState = s.Cluster, embed.ClusterStateFlagExisting
	}
	if s.SnapshotCount > 0 {
		cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = s.SnapshotCount, s.SnapshotCount
	}
	if s.Segment > 0 {
		wal.SegmentSizeBytes = s.Segment
	}
	log, err := zap.NewProduction(zap.Hooks(func(e zapcore.Entry) error {
		if s.KillAt != "" && e.Message == s.KillAt {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		log.Fatal("start", zap.Error(err))
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) // closed: stop in order
		e.Close()
		os.Exit(0)
	}()
	<-e.Err()
	os.Exit(1)
}

// running is a member's process.
type running struct {
	spec
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Closer
	log    string
	ended  chan struct{}
	client *clientv3.Client
}

func start(t *testing.T, s spec) *running {
	t.Helper()
	role, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r := &running{spec: s, t: t, cmd: exec.Command(os.Args[0]), log: log.Name(), ended: make(chan struct{})}
	r.cmd.Env, r.cmd.Stderr = append(os.Environ(), roleVar+"="+string(role)), log
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.cmd.Wait(); close(r.ended) }() // the tests kill it: what it returns says nothing
	t.Cleanup(r.kill)
	if r.client, err = clientv3.New(clientv3.Config{Endpoints: []string{"http://" + s.Client}, Logger: zap.NewNop()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.client.Close() })
	return r
}

// kill is SIGKILL; waiting for the end of one that killed itself.
func (r *running) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.ended
}

func (r *running) stop() {
	r.t.Helper()
	r.stdin.Close()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatal("the member does not stop")
	}
}

func (r *running) put(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, err := r.client.Put(ctx, "foo", "bar")
	return err
}

// serves puts n times.
func (r *running) serves(n int) *running {
	r.t.Helper()
	for range n {
		if err := r.put(patience); err != nil {
			r.t.Fatalf("the member does not serve: %v\n%s", err, r.output())
		}
	}
	return r
}

func (r *running) output() string {
	b, _ := os.ReadFile(r.log)
	return string(b)
}

func inspect(t *testing.T, s spec) Data {
	t.Helper()
	d, err := Inspect(s.Dir, s.WALDir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sound fails for every finding about a directory that etcd is content with.
func sound(t *testing.T, s spec) Data {
	t.Helper()
	d := inspect(t, s)
	if why, yes := d.WALLost(); yes {
		t.Error("WALLost:", why)
	}
	if why, yes := d.Foreign(); yes {
		t.Error("Foreign:", why)
	}
	if d.Empty() || d.HalfBegun() || d.DB.Damage != nil || d.DB.Locked {
		t.Errorf("not sound: %+v", d)
	}
	return d
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(to, os.DirFS(from)))
	return to
}
