package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// renewing is a rig whose operator has changed something.
type renewing struct {
	*rig
	next   Renewal
	failed error // of finding out what has changed
	said   []string
	used   []string
}

func runRenewing(t *testing.T) *renewing {
	r := &renewing{}
	r.next = Renewal{
		Launch: Launch{Args: []string{"--new"}, StopTimeout: 3 * time.Second}, Changes: []string{"a: 1 → 2"}, Restart: true,
		Use: func() { r.used = append(r.used, "use") }, Undo: func() { r.used = append(r.used, "undo") },
	}
	r.rig = run(t, func(o *Options, _ *rig) {
		o.Renew = func(context.Context, []string) (Renewal, error) { return r.next, r.failed }
		o.SetLevel = func(level string) { r.used = append(r.used, level) }
	})
	return r
}

// wish has a wish served, and returns where its end comes.
func (r *renewing) wish(ctx context.Context, w control.Wish) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.s.Renew(ctx, w, func(text string) { r.said = append(r.said, text) }) }()
	synctest.Wait()
	return done
}

// last is the last message that a member got.
func (r *renewing) last(i int) pipe.Message {
	r.t.Helper()
	all := r.procs[i].received
	return all[len(all)-1]
}

func (r *renewing) state() status.State {
	st, _ := r.s.Status(r.t.Context())
	return st.State
}

// leaves is what a member does that may leave.
func (p *fakeProc) leaves() {
	p.messages <- pipe.Message{Kind: pipe.Leaves, Turn: time.Hour}
	synctest.Wait()
	p.end(Exit{Failure: failure.FromExit(0, "")})
	synctest.Wait()
}

func wantEnd(t *testing.T, done <-chan error, text string) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("the wish ended with %v, want %q", err, text)
		}
	default:
		t.Errorf("the wish has not ended, want %q", text)
	}
}

// A renewal goes through the member's word that it leaves, and ends when the next one
// serves, which gives the turn back. systemd hears of no end and no second start.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		done := r.wish(t.Context(), control.Wish{NoTurn: true})
		if m := r.last(0); m.Kind != pipe.Leave || !m.Leaving.NoTurn || m.Leaving.Force {
			t.Fatalf("the member was told %+v", m)
		}
		r.proc().messages <- pipe.Message{Kind: pipe.Waiting, Text: "another has the turn"}
		synctest.Wait()
		if st, _ := r.s.Status(t.Context()); st.State != status.Serving || !strings.Contains(st.Line(), "reload: another has the turn") {
			t.Errorf("while it waits: %s", st.Line())
		}
		r.proc().leaves()
		if len(r.procs) != 2 || r.state() != status.Joining {
			t.Fatalf("%d processes, %s", len(r.procs), r.state())
		}
		select {
		case err := <-done:
			t.Fatalf("it ended before the member serves: %v", err)
		default:
		}
		r.proc().serve()
		wantEnd(t, done, "")
		if m := r.last(1); m.Kind != pipe.GiveBack || m.Turn != time.Hour {
			t.Errorf("the turn was not given back: %+v", m)
		}
		if want := []string{"a: 1 → 2", "another has the turn", "restarting the member"}; !slices.Equal(r.said, want) {
			t.Errorf("said %q, want %q", r.said, want)
		}
		st, _ := r.s.Status(t.Context())
		if st.Restarts != 0 || st.LastEnd != nil || st.Errand != "" || !slices.Equal(r.used, []string{"use"}) {
			t.Errorf("after it: %+v, %q", st, r.used)
		}
		if n := strings.Count(strings.Join(r.told, "\n"), "READY=1"); n != 1 {
			t.Errorf("READY=1 was said %d times", n)
		}
		r.wantTrace(status.Starting, status.Joining, status.Serving, status.Restarting, status.Joining, status.Serving)
		r.stop()
	})
}

// After an upgrade that was reloaded the status tells both versions.
func TestTwoVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, func(o *Options, _ *rig) { o.Version = "1.0" })
		notices := func(version string) string {
			r.proc().view(status.View{Version: version, Name: "a", Ready: true, Leader: "a", Members: single})
			r.pass(2 * time.Second)
			st, _ := r.s.Status(t.Context())
			return strings.Join(st.Notices, "\n")
		}
		if got := notices("1.0"); got != "" {
			t.Errorf("one version: %q", got)
		}
		if got := notices("1.1"); !strings.Contains(got, "etcd-node 1.1, and this supervisor is that of 1.0") {
			t.Errorf("two versions: %q", got)
		}
		r.stop()
	})
}

// What needs no restart is done at once, what is refused changes nothing.
func TestRenewWithoutRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		r.failed = errors.New("line 3 is wrong")
		wantEnd(t, r.wish(t.Context(), control.Wish{}), "line 3 is wrong")
		r.failed, r.next.Restart, r.next.Level, r.next.Launch.Level = nil, false, "debug", "debug"
		wantEnd(t, r.wish(t.Context(), control.Wish{}), "")
		if m := r.last(0); m.Kind != pipe.Level || m.Text != "debug" || !slices.Equal(r.used, []string{"use", "debug"}) {
			t.Errorf("the member was told %+v; %q", m, r.used)
		}
		r.next.Changes = nil
		wantEnd(t, r.wish(t.Context(), control.Wish{}), "")
		if len(r.procs) != 1 || r.said[len(r.said)-1] != "nothing has changed" {
			t.Errorf("%d processes, said %q", len(r.procs), r.said)
		}
		done := r.wish(t.Context(), control.Wish{Restart: true})
		r.proc().messages <- pipe.Message{Kind: pipe.Staying, Text: "b is not in step"}
		wantEnd(t, done, "b is not in step")
		r.proc().messages <- pipe.Message{Kind: pipe.Beat}
		if r.state() != status.Serving || len(r.procs) != 1 {
			t.Errorf("%s, %d processes", r.state(), len(r.procs))
		}
		r.stop()
	})
}

// A member that does not come up with the new settings gives way to that of before,
// whatever the failure: a permanent one would end the daemon otherwise.
func TestRenewGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		done := r.wish(t.Context(), control.Wish{Force: true})
		r.proc().leaves()
		f := failure.New(failure.IDConfiguration, "")
		f.Class = failure.Permanent
		r.proc().fail(f)
		wantEnd(t, done, "that of before is started again")
		if len(r.procs) != 3 || !slices.Equal(r.used, []string{"use", "undo"}) {
			t.Fatalf("%d processes, %q", len(r.procs), r.used)
		}
		r.proc().serve()
		synctest.Wait()
		if m := r.last(2); m.Kind != pipe.GiveBack || m.Turn != time.Hour {
			t.Errorf("the turn was not given back: %+v", m)
		}
		st, _ := r.s.Status(t.Context())
		if st.State != status.Serving || st.LastEnd == nil || st.Restarts != 1 {
			t.Errorf("%s, last end %+v, %d restarts", st.State, st.LastEnd, st.Restarts)
		}
		r.stop()
	})
}

// A wish is served in each state of a member that does not serve, without asking
// anybody, and ends with the daemon.
func TestRenewInEveryState(t *testing.T) {
	for _, tc := range []struct {
		state status.State
		reach func(*renewing)
	}{
		{status.Joining, func(r *renewing) {}},
		{status.Backoff, func(r *renewing) {
			e := killed()
			e.Failure.Class = failure.Operator
			r.proc().end(e)
		}},
	} {
		t.Run(string(tc.state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runRenewing(t)
				tc.reach(r)
				synctest.Wait()
				if r.state() != tc.state {
					t.Fatalf("%s", r.state())
				}
				done := r.wish(t.Context(), control.Wish{})
				if tc.state == status.Joining { // whether it serves already, it knows itself
					if m := r.last(0); m.Kind != pipe.Leave || m.Leaving.Force {
						t.Fatalf("the member was told %+v", m)
					}
					r.proc().leaves()
				}
				if len(r.procs) != 2 {
					t.Fatalf("%d processes", len(r.procs))
				}
				r.proc().serve()
				wantEnd(t, done, "")
				r.stop()
			})
		})
	}
	t.Run("starting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &renewing{next: Renewal{Launch: Launch{StopTimeout: time.Second}, Restart: true, Changes: []string{"x"}}}
			r.rig = run(t, func(o *Options, _ *rig) {
				o.Renew = func(context.Context, []string) (Renewal, error) { return r.next, nil }
				o.Prepare = func(ctx context.Context, say func(string)) (Launch, error) {
					say("no usable IPv4 address on eth0 yet")
					<-ctx.Done()
					return Launch{}, ctx.Err()
				}
			})
			done := r.wish(t.Context(), control.Wish{})
			if len(r.procs) != 1 {
				t.Fatalf("%d processes", len(r.procs))
			}
			r.proc().serve()
			wantEnd(t, done, "")
			r.stop()
		})
	})
	t.Run("stopping", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := runRenewing(t)
			r.proc().serve()
			done := r.wish(t.Context(), control.Wish{})
			if err := r.stop(); err != nil {
				t.Errorf("Run = %v", err)
			}
			wantEnd(t, done, "the daemon is ending")
			wantEnd(t, r.wish(t.Context(), control.Wish{}), "the daemon is ending")
		})
	})
}

// Who gives up takes a wish back that is not decided; the next one is served.
func TestRenewWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		ctx, cancel := context.WithCancel(t.Context())
		first := r.wish(ctx, control.Wish{})
		second := r.wish(t.Context(), control.Wish{})
		if len(r.said) != 2 || !strings.Contains(r.said[1], "another reload is under way") {
			t.Errorf("said %q", r.said)
		}
		cancel()
		synctest.Wait()
		if m := r.last(0); m.Kind != pipe.Stay {
			t.Fatalf("the member was told %+v", m)
		}
		r.proc().messages <- pipe.Message{Kind: pipe.Staying, Text: "context canceled"}
		wantEnd(t, first, "context canceled")
		if m := r.last(0); m.Kind != pipe.Leave {
			t.Fatalf("the member was told %+v", m)
		}
		r.proc().leaves()
		r.proc().serve()
		wantEnd(t, second, "")
		r.stop()
	})
}

// A wish that is not to wait overtakes one that waits for a turn which does not come.
func TestRenewOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		first := r.wish(t.Context(), control.Wish{})
		second := r.wish(t.Context(), control.Wish{Force: true})
		if m := r.last(0); m.Kind != pipe.Stay {
			t.Fatalf("the member was told %+v", m)
		}
		r.proc().messages <- pipe.Message{Kind: pipe.Staying, Text: "context canceled"}
		wantEnd(t, first, "context canceled")
		if m := r.last(0); m.Kind != pipe.Leave || !m.Leaving.Force {
			t.Fatalf("the member was told %+v", m)
		}
		r.proc().leaves()
		r.proc().serve()
		wantEnd(t, second, "")
		r.stop()
	})
}

// A member whose data has not changed its place keeps its pin, whatever is on the disk.
func TestRenewKeepsThePin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().view(status.View{Name: "a", ClusterID: "c", MemberID: "1", Stored: true, Ready: true, Leader: "a", Members: single})
		synctest.Wait()
		done := r.wish(t.Context(), control.Wish{})
		r.proc().leaves()
		r.proc().view(status.View{Name: "a", ClusterID: "c", MemberID: "1", Stored: true, Ready: true, Leader: "a", Members: single})
		wantEnd(t, done, "")
		if len(r.pins) != 1 {
			t.Errorf("%d pins were written", len(r.pins))
		}
		r.stop()
	})
}

// Who gives up while the new member starts leaves it to itself; another wish has to
// wait until it serves.
func TestRenewLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		ctx, cancel := context.WithCancel(t.Context())
		first := r.wish(ctx, control.Wish{})
		r.proc().leaves()
		cancel()
		wantEnd(t, first, "context canceled")
		wantEnd(t, r.wish(t.Context(), control.Wish{}), "being restarted already")
		r.proc().serve()
		synctest.Wait()
		if m := r.last(1); m.Kind != pipe.GiveBack {
			t.Errorf("the turn was not given back: %+v", m)
		}
		second := r.wish(t.Context(), control.Wish{Restart: true})
		r.proc().leaves()
		r.proc().serve()
		wantEnd(t, second, "")
		r.stop()
	})
}

// A member that ends while it waits for its turn is restarted as ever, and says so.
func TestRenewMemberEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		done := r.wish(t.Context(), control.Wish{})
		r.proc().end(killed())
		wantEnd(t, done, "the member ended meanwhile")
		r.proc().serve()
		synctest.Wait()
		if r.state() != status.Serving || len(r.used) != 0 {
			t.Errorf("%s, %q", r.state(), r.used)
		}
		r.stop()
	})
}

// A member that was told to leave and hangs is killed, and the next one starts.
func TestRenewMemberHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runRenewing(t)
		r.proc().serve()
		done := r.wish(t.Context(), control.Wish{})
		r.proc().messages <- pipe.Message{Kind: pipe.Leaves}
		r.pass(4 * time.Second)
		if !r.procs[0].killed || len(r.procs) != 2 {
			t.Fatalf("killed: %v, %d processes", r.procs[0].killed, len(r.procs))
		}
		r.proc().serve()
		wantEnd(t, done, "")
		r.stop()
	})
}

// The questions to a member are answered by it, or end with it.
func TestSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().serve()
		ask := func() <-chan error {
			done := make(chan error, 1)
			go func() { done <- r.s.Spare(t.Context()) }()
			synctest.Wait()
			return done
		}
		answer := func(id uint64, text string) {
			r.proc().messages <- pipe.Message{Kind: pipe.Answer, ID: id, Text: text}
		}
		first, second, third := ask(), ask(), ask()
		answer(2, "b is not in step")
		answer(1, "")
		answer(17, "")
		wantEnd(t, first, "")
		wantEnd(t, second, "b is not in step")
		r.proc().end(killed())
		wantEnd(t, third, "the member has ended")
		r.stop()
	})
}
