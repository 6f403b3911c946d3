package member

import (
	"net"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The lines with which etcd's listeners comment a connection whose TLS they do
// not take. TestEtcdText fails if etcd rewords one.
const (
	msgPeerRejected   = "rejected connection on peer endpoint"
	msgClientRejected = "rejected connection on client endpoint"
)

const (
	// rejectionPause is for how long a rejection is not logged again: raft dials
	// ten times a second and more.
	rejectionPause = time.Minute
	// rejectionKinds bounds the memory: so many hosts and reasons are told apart,
	// and what is beyond is logged each time.
	rejectionKinds = 1000
)

// rejectionFilter passes a core's lines on. Of the lines about rejected
// connections it passes on the first from each host for each reason, and after
// that one a minute, with their number.
type rejectionFilter struct {
	zapcore.Core
	seen *rejections // by all clones together
}

func newRejectionFilter(c zapcore.Core) rejectionFilter {
	return rejectionFilter{c, &rejections{kinds: map[rejectionKind]*rejection{}}}
}

func (f rejectionFilter) With(fields []zapcore.Field) zapcore.Core {
	return rejectionFilter{f.Core.With(fields), f.seen}
}

func (f rejectionFilter) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message != msgPeerRejected && e.Message != msgClientRejected {
		return f.Core.Check(e, checked)
	}
	if f.Enabled(e.Level) {
		return checked.AddCore(e, f)
	}
	return checked
}

// Write gets the lines about rejected connections only.
func (f rejectionFilter) Write(e zapcore.Entry, fields []zapcore.Field) error {
	write := func(at time.Time, more ...zapcore.Field) {
		e.Time = at
		if ce := f.Core.Check(e, nil); ce != nil { // of several cores each has its own level
			ce.Write(append(fields[:len(fields):len(fields)], more...)...)
		}
	}
	if f.seen.first(kindOf(e, fields), write) {
		write(e.Time)
	}
	return nil
}

// rejectionKind tells rejections apart.
type rejectionKind struct{ endpoint, host, reason string }

func kindOf(e zapcore.Entry, fields []zapcore.Field) rejectionKind {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(enc)
	}
	address, _ := enc.Fields["remote-addr"].(string)
	reason, _ := enc.Fields["error"].(string)
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	// The port is another one each time.
	return rejectionKind{e.Message, host, strings.ReplaceAll(reason, address, host)}
}

// rejections counts those that were not logged. It is safe for concurrent use.
type rejections struct {
	mu    sync.Mutex
	kinds map[rejectionKind]*rejection
}

type rejection struct {
	more  int // since the last line
	write func(at time.Time, more ...zapcore.Field)
}

// first reports whether a rejection is to be logged now. One that is not is
// counted, and write logs the last of them when the pause is over.
func (r *rejections) first(k rejectionKind, write func(time.Time, ...zapcore.Field)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.kinds[k]; x != nil {
		x.more, x.write = x.more+1, write
		return false
	}
	if len(r.kinds) < rejectionKinds {
		r.kinds[k] = new(rejection)
		time.AfterFunc(rejectionPause, func() { r.over(k) })
	}
	return true
}

// over ends a pause. If there were more, they are logged as one and another
// pause begins.
func (r *rejections) over(k rejectionKind) {
	r.mu.Lock()
	x := *r.kinds[k]
	if x.more == 0 {
		delete(r.kinds, k)
	} else {
		r.kinds[k].more = 0
		time.AfterFunc(rejectionPause, func() { r.over(k) })
	}
	r.mu.Unlock()
	if x.more > 0 {
		x.write(time.Now(), zap.Int("rejected-in-the-last-minute", x.more))
	}
}
