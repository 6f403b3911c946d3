package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// The kernel's count tells an OOM kill from any other SIGKILL; our own is none.
func TestOutOfMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		ids := func(want ...string) {
			t.Helper()
			ends := r.kept(recorder.Ended)
			if len(ends) != len(want) {
				t.Fatalf("%d ends, want %d", len(ends), len(want))
			}
			if last := ends[len(ends)-1].End; last.ID != want[len(want)-1] {
				t.Errorf("%+v, want %s", last, want[len(want)-1])
			}
		}
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled)

		r.pass(time.Second)
		r.oom++
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled, failure.IDOutOfMemory)
		if st, _ := r.s.Status(t.Context()); st.LastEnd.ID != failure.IDOutOfMemory {
			t.Errorf("status says %+v", st.LastEnd)
		}

		r.pass(time.Second) // counted from this start on
		r.proc().end(killed())
		synctest.Wait()
		ids(failure.IDKilled, failure.IDOutOfMemory, failure.IDKilled)
		r.stop()
	})
}

// A machine that is out of memory or processes cannot fork, again and again.
func TestStartFailureIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := run(t, func(o *Options, _ *rig) {
			start := o.Start
			o.Start = func(l Launch) (*Process, error) {
				if n++; n != 3 && n != 6 {
					return nil, errors.New("fork/exec /proc/self/exe: resource temporarily unavailable")
				}
				return start(l)
			}
		})
		r.pass(61 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Backoff, status.Joining)
		r.proc().serve()
		r.proc().end(killed())
		r.pass(61 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Backoff, status.Joining, status.Serving,
			status.Backoff, status.Backoff, status.Backoff, status.Joining)
		r.stop()
	})
}

// The member's own word comes first, then the kernel's count, then the exit.
func TestCause(t *testing.T) {
	full := failure.New(failure.IDDiskFull, "")
	for name, tc := range map[string]struct {
		c           child
		e           Exit
		outOfMemory bool
		want        string
	}{
		"exit":                       {child{}, ended(failure.FromExit(1<<8, "")), false, failure.IDEnded},
		"word":                       {child{reason: full}, ended(failure.FromExit(1<<8, "")), false, failure.IDDiskFull},
		"word, out of memory":        {child{reason: full}, killed(), true, failure.IDDiskFull},
		"killed":                     {child{}, killed(), false, failure.IDKilled},
		"out of memory":              {child{}, killed(), true, failure.IDOutOfMemory},
		"killed by us meanwhile":     {child{killed: true}, killed(), true, failure.IDKilled},
		"ended by itself meanwhile":  {child{}, ended(failure.FromExit(1<<8, "")), true, failure.IDEnded},
		"another process, other end": {child{}, Exit{Failure: failure.FromExit(15, ""), Status: 15}, true, failure.FromExit(15, "").ID},
	} {
		if got := tc.c.cause(tc.e, tc.outOfMemory); got.ID != tc.want {
			t.Errorf("%s: %s, want %s", name, got.ID, tc.want)
		}
	}
}

// Where the member could not tell what ended it, its crash may.
func TestCauseFromTheCrash(t *testing.T) {
	c := child{reason: failure.New(failure.IDEnded, "execute job failed: runtime error: slice bounds out of range [:7] with capacity 3")}
	crash := "panic: runtime error: slice bounds out of range [:7] with capacity 3 [recovered]\n\tpanic: execute job failed\n\ngoroutine 9 [running]:\n" +
		"go.uber.org/zap.(*Logger).Panic(0x1)\n\t/x.go:1\npanic({0x1, 0x2})\n\t/panic.go:1\nruntime.goPanicSliceAcap(0x7)\n\t/panic.go:2\ngo.etcd.io/bbolt.(*Bucket).get(0x1)\n\t/bucket.go:3\n"
	if f := c.cause(Exit{Crash: crash}, false); f.ID != failure.IDDamaged {
		t.Errorf("%+v", f)
	}
	if f := c.cause(Exit{Crash: "panic: something else\n\ngoroutine 1 [running]:\nmain.main()\n"}, false); f != c.reason {
		t.Errorf("%+v", f)
	}
	c.reason = failure.New(failure.IDDiskFull, "")
	if f := c.cause(Exit{Crash: crash}, false); f != c.reason {
		t.Errorf("%+v", f)
	}
}
