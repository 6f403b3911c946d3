package failure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

// child is the process in which one message of etcd's is provoked: etcd may
// end it in any way it likes. What etcd says reaches the parent by the same
// ways as in a member: returned and delivered errors and a few log lines as
// records on stdout, a crash on stderr.
type child struct {
	dir string
	log *zap.Logger
	out sync.Mutex
	// held is what must stay open: a lock or a port ends with the collection
	// of its file.
	held []any
	one  loopback.Member // of a cluster of one, the same in each run
}

// record is the sign between records: an error can have several lines.
const record = "\x00"

// said passes on what etcd says.
func (c *child) said(text string) {
	c.out.Lock()
	os.Stdout.WriteString(text + record)
	c.out.Unlock()
}

func (c *child) must(err error) {
	if err != nil {
		debug.PrintStack()
		fmt.Fprintln(os.Stderr, "the provocation itself failed:", err)
		os.Exit(100)
	}
}

// ear is the core that hears what a member's tap hears.
type ear struct {
	zapcore.Core
	c *child
}

func (e ear) With(f []zapcore.Field) zapcore.Core { return ear{e.Core.With(f), e.c} }

func (e ear) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, e)
}

func (e ear) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if entry.Level >= zapcore.PanicLevel || entry.Message == "server error" || strings.HasPrefix(entry.Message, "db file is flocked") {
		enc := zapcore.NewMapObjectEncoder()
		for _, f := range fields {
			f.AddTo(enc)
		}
		text := entry.Message
		if err, ok := enc.Fields["error"].(string); ok {
			text += ": " + err
		}
		if p, ok := enc.Fields["panic"].(string); ok {
			text += ": " + p
		}
		e.c.said(text)
	}
	return e.Core.Write(entry, fields)
}

// runChild is the child's main.
func runChild(dir string, do func(*child)) {
	wal.SegmentSizeBytes = 1 << 20 // 64 MB would only cost time
	f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	c := &child{dir: dir, one: loopback.New("a", dir)}
	c.must(err)
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), f, zap.InfoLevel)
	c.log = zap.New(ear{core, c})
	do(c)
}

// member is the configuration of a cluster of one.
func (c *child) member() *embed.Config { return c.config(&c.one) }

func (c *child) config(m *loopback.Member) *embed.Config {
	cfg := m.Config()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(c.log)
	cfg.TickMs, cfg.ElectionMs = 20, 200 // quick, and enough for a loaded machine
	return cfg
}

// path is a path in the data dir.
func (c *child) path(elem ...string) string {
	return filepath.Join(append([]string{c.one.Data()}, elem...)...)
}

// start starts etcd and tells what it returned if that is an error.
func (c *child) start(cfg *embed.Config) *embed.Etcd {
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		c.said(err.Error())
		os.Exit(1)
	}
	return e
}

// serve starts etcd and waits until it is ready.
func (c *child) serve(cfg *embed.Config) *embed.Etcd {
	e := c.start(cfg)
	<-e.Server.ReadyNotify()
	return e
}

// watch starts etcd and waits for what it says; its end ends the child.
func (c *child) watch(e *embed.Etcd) {
	select {
	case err := <-e.Err():
		c.said(fmt.Sprint(err))
	case <-e.Server.StopNotify():
	}
	os.Exit(1)
}

// made makes sound data: a few keys and a clean stop.
func (c *child) made(cfg *embed.Config) {
	e := c.serve(cfg)
	c.put(e, 20, 10)
	e.Close()
}

// put puts n keys with values of the given size.
func (c *child) put(e *embed.Etcd, n, size int) {
	for i := range n {
		if _, err := e.Server.Put(context.Background(), &etcdserverpb.PutRequest{
			Key: fmt.Appendf(nil, "key-%d", i), Value: bytes.Repeat([]byte("v"), size),
		}); err != nil {
			c.said(err.Error())
			return
		}
	}
}

// putUntilEnd puts until etcd ends the process.
func (c *child) putUntilEnd(e *embed.Etcd, size int) {
	for deadline := time.Now().Add(poll.Patience); time.Now().Before(deadline); {
		c.put(e, 10, size)
	}
	os.Exit(101)
}

// firstWAL is the first WAL file.
func (c *child) firstWAL() string {
	files, err := filepath.Glob(c.path("member/wal/*.wal"))
	c.must(err)
	return files[0]
}

// logged waits for a line in etcd's log that holds the words.
func (c *child) logged(words string) {
	c.eventually(func() bool {
		b, err := os.ReadFile(filepath.Join(c.dir, "log"))
		c.must(err)
		return bytes.Contains(b, []byte(words))
	})
}

// eventually asks until it is so. The parent's patience ends it.
func (c *child) eventually(so func() bool) {
	_ = poll.Until(context.Background(), 5*time.Millisecond, func() error { // has no end but success
		if !so() {
			return errors.New("not yet")
		}
		return nil
	})
}

// change changes a file's bytes.
func (c *child) change(path string, change func([]byte) []byte) {
	b, err := os.ReadFile(path)
	c.must(err)
	c.must(os.WriteFile(path, change(b), 0o600))
}

// trio is a cluster of three in one process.
type trio struct {
	*child
	cfg  []func() *embed.Config
	etcd [3]*embed.Etcd
}

func (c *child) three() *trio {
	t := &trio{child: c}
	var members [3]loopback.Member
	for i, name := range []string{"a", "b", "c"} {
		members[i] = loopback.New(name, filepath.Join(c.dir, name))
	}
	loopback.Unite(&members[0], &members[1], &members[2])
	for i := range members {
		t.cfg = append(t.cfg, func() *embed.Config {
			cfg := c.config(&members[i])
			cfg.StrictReconfigCheck = false // it would refuse for 5 s
			return cfg
		})
		t.etcd[i] = c.start(t.cfg[i]())
	}
	for _, e := range t.etcd {
		<-e.Server.ReadyNotify()
	}
	c.put(t.etcd[0], 20, 10)
	return t
}

// again starts c, the third, once more.
func (t *trio) again(change ...func(*embed.Config)) {
	cfg := t.cfg[2]()
	for _, f := range change {
		f(cfg)
	}
	t.watch(t.start(cfg))
}

// caughtUp waits until c has applied what a has.
func (t *trio) caughtUp() {
	t.eventually(func() bool { return t.etcd[2].Server.AppliedIndex() >= t.etcd[0].Server.AppliedIndex() })
}
