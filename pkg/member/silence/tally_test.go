package silence

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// tallyOf is when a quorum was known to be silent, and since when it was said to
// be, of others that are heard last at these times; -1: it was not. beat is how
// often the leader writes.
func tallyOf(heard []time.Duration, beat time.Duration, change func(id uint64, l *Look)) (known, since time.Duration) {
	t := Tally{Limit: 400 * ms}
	for at := time.Duration(0); at < 5*time.Second; {
		now := epoch.Add(at)
		looks := map[uint64]Look{}
		for i, h := range heard {
			l := Look{At: now, Trip: ms / 5, Again: 204 * ms, Heard: epoch.Add(min(at, h))}
			l.Acked = at < h || at.Truncate(beat) <= h // nothing written since
			if change != nil {
				change(uint64(i), &l)
			}
			looks[uint64(i)] = l
		}
		from, _, next := t.Step(now, looks)
		if !from.IsZero() {
			return at, from.Sub(epoch)
		}
		at += next
	}
	return -1, 0
}

func TestTally(t *testing.T) {
	const never, long = 100 * time.Second, 100 * ms
	for name, tc := range map[string]struct {
		heard        []time.Duration
		beat         time.Duration
		change       func(uint64, *Look)
		known, since time.Duration
	}{
		"all are heard":      {[]time.Duration{never, never}, long, nil, -1, 0},
		"one of two":         {[]time.Duration{never, 0}, long, nil, -1, 0},
		"cut off":            {[]time.Duration{time.Second, time.Second}, long, nil, 1500 * ms, time.Second},
		"long heartbeats":    {[]time.Duration{1050 * ms, 1050 * ms}, time.Second, nil, 2400 * ms, 1050 * ms},
		"two of four":        {[]time.Duration{never, never, 0, 0}, long, nil, -1, 0},
		"one after another":  {[]time.Duration{never, 500 * ms, time.Second, 0}, long, nil, 1500 * ms, time.Second},
		"the only other one": {[]time.Duration{time.Second}, long, nil, 1500 * ms, time.Second},
		"far away": {[]time.Duration{time.Second, time.Second}, long, func(_ uint64, l *Look) { l.Trip, l.Again = 60*ms, 300*ms },
			2 * time.Second, time.Second},
		"one cannot be found": {[]time.Duration{time.Second, time.Second}, long, func(id uint64, l *Look) { l.Acked = l.Acked || id == 0 }, -1, 0},
		"their processes are frozen": {[]time.Duration{never, never}, long, func(_ uint64, l *Look) { l.Acked = false },
			-1, 0}, // something is always under way
		"not connected any more": {[]time.Duration{time.Second, time.Second}, long, func(_ uint64, l *Look) {
			if l.At.Sub(epoch) > 1200*ms {
				*l = Look{At: l.At}
			}
		}, 1500 * ms, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			known, since := tallyOf(tc.heard, tc.beat, tc.change)
			if since != tc.since || known < 0 != (tc.known < 0) || known < tc.known-tallied || known > tc.known+2*tallied {
				t.Errorf("known after %v since %v, want %v since %v", known, since, tc.known, tc.since)
			}
		})
	}
}

// The voters are looked at seldom while all is acknowledged, and known to be silent
// no later for it: what is under way counts from when it was sent, but not from
// before the last packet that came, nor from before a step that was late.
func TestTallySent(t *testing.T) {
	for name, tc := range map[string]struct {
		sent, heard, late time.Duration
		known             time.Duration // at the soonest; and a look later at most
	}{
		"a moment after a look": {410 * ms, 350 * ms, 0, 410*ms + 404*ms},
		"heard since":           {410 * ms, 500 * ms, 0, 800*ms + 404*ms},
		"a late look":           {410 * ms, 350 * ms, time.Second, 1800*ms + 404*ms},
	} {
		tally := Tally{Limit: 400 * ms}
		for at := time.Duration(0); ; {
			l := Look{At: epoch.Add(at), Acked: at < tc.sent, Heard: epoch.Add(min(at, tc.heard)), Trip: ms / 5, Again: 204 * ms}
			if !l.Acked {
				l.Sent = epoch.Add(tc.sent)
			}
			since, _, next := tally.Step(l.At, map[uint64]Look{1: l, 2: l})
			if l.Acked && next != Settled {
				t.Errorf("%s: looked at after %v, while all is well", name, next)
			}
			if !since.IsZero() || at > 5*time.Second {
				if at < tc.known || at > tc.known+tallied {
					t.Errorf("%s: known after %v, want %v", name, at, tc.known)
				}
				break
			}
			if at += next; at > tc.sent {
				at, tc.late = at+tc.late, 0
			}
		}
	}
}

// A leader that was frozen has not had the time to hear anything.
func TestTallyLate(t *testing.T) {
	tally := Tally{Limit: 400 * ms}
	silent := func(at time.Duration) bool {
		now := epoch.Add(at)
		l := Look{At: now, Heard: epoch, Again: 204 * ms}
		since, _, _ := tally.Step(now, map[uint64]Look{1: l, 2: l})
		return !since.IsZero()
	}
	for at := 10 * ms; at < 300*ms; at += tallied {
		silent(at)
	}
	if silent(2 * time.Second) {
		t.Error("silent in the step that was late")
	}
	for at := 2*time.Second + tallied; at < 2400*ms; at += tallied {
		if silent(at) {
			t.Errorf("silent after %v", at)
		}
	}
	if !silent(2500 * ms) {
		t.Error("not silent")
	}
}

// The kernel's view of two voters, one of which is not there.
func TestVoters(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	line, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	v := NewVoters(func() ([]peers.Conn, error) {
		return peers.Ports{Peers: []uint64{uint64(l.Addr().(*net.TCPAddr).Port)}}.Conns()
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no name is looked up
	v.Resolve(ctx, map[uint64][]string{1: {"http://" + l.Addr().String()}, 2: {"http://192.0.2.1:2380"}, 3: {"http://nowhere.invalid:2380"}})
	v.Refresh()
	_, looks := v.Look()
	if one := looks[1]; !one.Acked || one.Heard.IsZero() || one.Trip == 0 {
		t.Errorf("connected: %+v", one)
	}
	if two := looks[2]; two.Acked || !two.Heard.IsZero() {
		t.Errorf("not connected: %+v", two)
	}
	if three := looks[3]; !three.Acked {
		t.Errorf("not to be found: %+v", three)
	}
	line.Close()
	if _, looks := v.Look(); looks[1].Acked {
		t.Errorf("not connected any more: %+v", looks[1])
	}
}

// A leader that nobody uses looks once a second. That is not late, so what was sent
// counts from then.
func TestTallyPause(t *testing.T) {
	tally := Tally{Limit: 400 * ms}
	well := func(at time.Time) Look { return Look{At: at, Acked: true, Heard: at, Again: 204 * ms} }
	for i := range 3 {
		at := epoch.Add(time.Duration(i) * time.Second)
		tally.Step(at, map[uint64]Look{1: well(at), 2: well(at)})
		tally.Pause(time.Second)
	}
	at := epoch.Add(3 * time.Second)
	sent := at.Add(-450 * ms)
	l := Look{At: at, Sent: sent, Heard: sent.Add(-ms), Again: 204 * ms}
	if since, _, _ := tally.Step(at, map[uint64]Look{1: l, 2: l}); since.IsZero() {
		t.Error("what was sent 450 ms ago and is not acknowledged counts from now")
	}
}
