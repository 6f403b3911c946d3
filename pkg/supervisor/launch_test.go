package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestWaitForAddressIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
				say("no usable IPv4 address on eth0 yet")
				<-ctx.Done()
				return Launch{}, ctx.Err()
			}
		})
		r.stop()
		if !slices.Contains(r.told, "STATUS=starting: no usable IPv4 address on eth0 yet") {
			t.Errorf("told %q", r.told)
		}
	})
}

// A stop while it waits is no failure, whatever the loop hears first of the two:
// the stop, or that the wait has ended.
func TestStopEndsTheWait(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, func(o *Options, _ *rig) {
				o.Prepare = func(ctx context.Context, _ func(string)) (Launch, error) {
					<-ctx.Done()
					return Launch{}, ctx.Err()
				}
				// The loop is at its tick when the stop comes, so it finds both.
				o.Conditions = func() []status.Condition { time.Sleep(100 * time.Millisecond); return nil }
			})
			r.pass(1050 * time.Millisecond)
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// An address that is gone is looked for again.
func TestAddressGoneIsPreparedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().fail(failure.New(failure.IDAddressGone, ""))
		r.pass(31 * time.Second)
		r.wantTrace(status.Starting, status.Joining, status.Backoff, status.Starting, status.Joining)
		r.stop()
	})
}

// A start is extended for as long as a wait is shown, also where the member has
// ended before it: a TLS file that went between the preparation and etcd's look.
func TestWaitAfterAFailureIsExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		come, prepared := make(chan struct{}), 0
		r := run(t, func(o *Options, _ *rig) {
			prepare := o.Prepare
			o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
				if prepared++; prepared > 1 {
					say("waiting for TLS files: ca.crt does not exist")
					<-come
				}
				return prepare(ctx, say)
			}
		})
		r.proc().fail(failure.New(failure.IDTLSFile, ""))
		r.pass(time.Second)
		if st, _ := r.s.Status(t.Context()); !strings.HasPrefix(st.Line(), "starting: waiting for TLS files") {
			t.Fatal(st.Line())
		}
		begun := time.Now()
		r.pass(2 * failingLimit)
		ended := time.Now()
		close(come)
		synctest.Wait()
		r.proc().fail(failure.New(failure.IDTLSFile, "")) // the minute of what fails begins now
		r.pass(time.Second)
		if len(r.result) > 0 {
			t.Error("ended after a wait that was right")
		}
		r.stop()
		n, want := 0, int(2*failingLimit/extendEvery)
		for _, at := range r.extends {
			if !at.Before(begun) && !at.After(ended) {
				n++
			}
		}
		if n < want-1 {
			t.Errorf("extended %d times in %s of waiting, want %d", n, 2*failingLimit, want)
		}
	})
}

func TestUnpreparedIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := run(t, func(o *Options, _ *rig) {
			prepare := o.Prepare
			o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
				if n++; n == 1 {
					f := failure.New(failure.IDNoAddress, "")
					return Launch{}, f
				}
				return prepare(ctx, say)
			}
		})
		r.pass(31 * time.Second)
		r.wantTrace(status.Starting, status.Backoff, status.Starting, status.Joining)
		r.stop()
	})
}

func TestBadConfigurationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) {
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{}, errors.New("ETCD_IP_2: missing")
			}
		})
		var f *failure.Failure
		if err := <-r.result; !errors.As(err, &f) || f.Exit != failure.ExitConfig || !strings.Contains(f.Error(), "ETCD_IP_2") {
			t.Errorf("Run = %v", err)
		}
	})
}

// A member that cannot load a TLS file is prepared again, which waits for the
// file.
func TestTLSFileIsPreparedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().fail(failure.New(failure.IDTLSFile, "open crt: no such file or directory"))
		r.pass(time.Second)
		r.wantTrace(status.Starting, status.Joining, status.Backoff, status.Starting, status.Joining)
		r.stop()
	})
}

// What is said of the configuration now stands behind what the launch said.
func TestNoticesOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := time.Now().Add(1500 * time.Millisecond)
		r := run(t, func(o *Options, _ *rig) {
			o.Notify = nil
			o.Prepare = func(context.Context, func(string)) (Launch, error) {
				return Launch{Notices: []string{"one"}, StopTimeout: time.Second}, nil
			}
			o.Notices = func() []string {
				if time.Now().Before(over) {
					return []string{"two"}
				}
				return nil
			}
		})
		for _, want := range [][]string{{"one", "two"}, {"one"}} {
			r.pass(time.Second)
			if st, _ := r.s.Status(t.Context()); !slices.Equal(st.Notices, want) {
				t.Errorf("%q, want %q", st.Notices, want)
			}
		}
		r.stop()
	})
}
