package silence

import (
	"testing"
	"time"
)

const ms = time.Millisecond

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// near is a host that was heard last at epoch, as it looks after some time, on a
// near network.
func near(after time.Duration) Look {
	return Look{At: epoch.Add(after), Heard: epoch, Trip: ms / 5, Again: 204 * ms}
}

// course is what a Suspicion did, after epoch; -1: it did not.
type course struct {
	asks, dials int
	half, whole time.Duration
}

// play lets time pass, in which the host looks as see says. It dials as a Watch
// does: dialed is when, or the zero time.
func play(s *Suspicion, until time.Duration, see func(after time.Duration, dialed time.Time) Look) course {
	c := course{half: -1, whole: -1}
	var dialed time.Time
	for at := time.Duration(0); at < until; {
		l := see(at, dialed)
		do, is, next := s.Step(l, false)
		switch do {
		case Ask:
			c.asks++
		case Dial:
			c.dials++
			dialed = l.At
		}
		if is >= Half && c.half < 0 {
			c.half = at
		}
		if is == Whole && c.whole < 0 {
			c.whole = at
		}
		at = l.At.Sub(epoch) + next
	}
	return c
}

// silentHost acknowledges nothing.
func silentHost(after time.Duration, dialed time.Time) Look {
	l := near(after)
	l.Dialed, l.Reached = dialed, dialed
	return l
}

func TestSilent(t *testing.T) {
	for name, tc := range map[string]struct {
		limit  time.Duration
		change func(*Look)
		half   time.Duration
		whole  time.Duration
	}{
		"as set":               {500 * ms, func(*Look) {}, Quiet + 250*ms, Quiet + 500*ms},
		"TCP must send again":  {time.Nanosecond, func(*Look) {}, Quiet + 202*ms, Quiet + 404*ms},
		"a far host":           {400 * ms, func(l *Look) { l.Trip, l.Again = 50*ms, 300*ms }, Quiet + 400*ms, Quiet + 800*ms},
		"TCP waits longer":     {400 * ms, func(l *Look) { l.Again = time.Second }, Quiet + 600*ms, Quiet + 1200*ms},
		"ten trips":            {400 * ms, func(l *Look) { l.Trip, l.Again = 100*ms, 100*ms }, Quiet + 550*ms, Quiet + 1100*ms},
		"one in twenty lost":   {500 * ms, func(l *Look) { l.Loss = 0.05 }, Quiet + 375*ms, Quiet + 750*ms},
		"more cannot be known": {500 * ms, func(l *Look) { l.Loss = 0.9 }, Quiet + 500*ms, Quiet + 1000*ms},
	} {
		t.Run(name, func(t *testing.T) {
			c := play(&Suspicion{Limit: tc.limit}, 3*time.Second, func(after time.Duration, dialed time.Time) Look {
				l := silentHost(after, dialed)
				tc.change(&l)
				return l
			})
			if c.whole != tc.whole || c.half < tc.half || c.half > tc.half+step {
				t.Errorf("half after %v, whole after %v; want %v, %v", c.half, c.whole, tc.half, tc.whole)
			}
			if most := int((tc.whole-Quiet)/step) + 1; c.asks < 3 || c.asks > most || c.dials != 1 {
				t.Errorf("asked %d times, dialed %d times", c.asks, c.dials)
			}
		})
	}
}

// TCP's pause doubles while it sends again, and so do not the limits: they are
// of the moment in which was asked.
func TestSilentWhileTCPWaits(t *testing.T) {
	c := play(&Suspicion{Limit: 400 * ms}, 3*time.Second, func(after time.Duration, dialed time.Time) Look {
		l := silentHost(after, dialed)
		if after > Quiet {
			l.Again, l.Loss = time.Minute, 0.1
		}
		return l
	})
	if want := Quiet + 404*ms; c.whole != want {
		t.Errorf("whole after %v, want %v", c.whole, want)
	}
}

// One sign of life is enough, whatever it is.
func TestAlive(t *testing.T) {
	const from = 350 * ms // when it was asked already, and dialed
	for name, sign := range map[string]func(*Look){
		"it has acknowledged":                 func(l *Look) { l.Acked = true },
		"it is heard on another connection":   func(l *Look) { l.Heard = epoch.Add(from) },
		"it has accepted a fresh one":         func(l *Look) { l.Answered = epoch.Add(from) },
		"no fresh one could be asked for":     func(l *Look) { l.Dialed = time.Time{} },
		"a fresh one is asked for all anew":   func(l *Look) { l.Dialed = l.At.Add(-patience + ms) },
		"it is this member that is cut off":   func(l *Look) { l.Reached = time.Time{} },
		"this member is just back":            func(l *Look) { l.Reached = l.At.Add(-patience/2 + ms) },
		"the fresh one is of an older moment": func(l *Look) { l.Dialed = epoch },
	} {
		t.Run(name, func(t *testing.T) {
			c := play(&Suspicion{Limit: 400 * ms}, Quiet+450*ms, func(after time.Duration, dialed time.Time) Look {
				l := silentHost(after, dialed)
				if after >= from {
					sign(&l)
				}
				return l
			})
			if c.whole >= 0 {
				t.Errorf("silent after %v", c.whole)
			}
		})
	}
}

// Short of the limit, the first question that gets through tells, whatever TCP has
// in mind with those before.
func TestShortOutage(t *testing.T) {
	for outage := 10 * ms; outage < 350*ms; outage += 10 * ms {
		var s Suspicion
		s.Limit = 400 * ms
		heard := epoch
		at, whole := Quiet, false
		_, _, next := s.Step(near(Quiet), false) // is lost
		for at < 2*time.Second && heard == epoch {
			at += next
			l := near(at)
			l.Dialed, l.Reached = epoch.Add(at-patience), epoch // is lost, too
			var do Move
			var is Evidence
			do, is, next = s.Step(l, false)
			whole = whole || is == Whole
			if do == Ask && at > Quiet+outage {
				heard = l.At
			}
		}
		l := near(at + next)
		l.Heard = heard
		if _, is, _ := s.Step(l, false); whole || is != None {
			t.Errorf("an outage of %v: %v, whole %v", outage, is, whole)
		}
	}
}

// A line that is broken without a word is no silent host.
func TestBrokenLine(t *testing.T) {
	var answered time.Time
	c := play(&Suspicion{Limit: 400 * ms}, 10*time.Second, func(after time.Duration, dialed time.Time) Look {
		l := silentHost(after, dialed)
		if dialed.After(answered) && l.At.After(dialed) {
			answered = l.At
		}
		l.Answered = answered
		return l
	})
	if c.whole >= 0 || c.asks > int(10*time.Second/step) {
		t.Errorf("%+v", c)
	}
}

// A host that speaks is asked nothing, one that speaks seldom not often.
func TestAsksSeldom(t *testing.T) {
	for beat, most := range map[time.Duration]int{60 * ms: 0, time.Second: 5 * 60} {
		var asked bool
		last := epoch
		c := play(&Suspicion{Limit: 400 * ms}, time.Minute, func(after time.Duration, _ time.Time) Look {
			l := near(after)
			l.Acked = true // within a step
			if at := epoch.Add(after.Truncate(beat)); at.After(last) {
				last = at
			}
			if asked {
				last = l.At.Add(-step)
			}
			l.Heard = last
			asked = false
			return l
		})
		if c.asks > most || c.half >= 0 || most > 0 && c.asks < most/2 {
			t.Errorf("a word every %v: asked %d times in a minute, want %d at most; %+v", beat, c.asks, most, c)
		}
	}
}

// Who was frozen, or had no time, has not had the time to hear anything.
func TestLateStep(t *testing.T) {
	for _, frozen := range []time.Duration{
		Quiet + 20*ms, // has just asked
		Quiet + 300*ms,
		Quiet + 390*ms, // the evidence is almost whole
		Quiet + 700*ms, // and long so
	} {
		const slept = 2 * time.Second
		var s Suspicion
		s.Limit = 400 * ms
		c := play(&s, 10*time.Second, func(after time.Duration, dialed time.Time) Look {
			if after >= frozen && after < frozen+slept {
				after = frozen + slept
			}
			l := silentHost(after, dialed)
			return l
		})
		if frozen > Quiet+404*ms {
			if c.whole != Quiet+404*ms {
				t.Errorf("whole after %v", c.whole)
			}
			l := silentHost(10*time.Second+slept, epoch.Add(Quiet+210*ms))
			if _, is, _ := s.Step(l, false); is != None {
				t.Errorf("late by %v it still says %v", slept, is)
			}
			continue
		}
		if want := frozen + slept + 404*ms; c.whole < want || c.whole > want+step {
			t.Errorf("frozen after %v for %v: whole after %v, want %v", frozen, slept, c.whole, want)
		}
	}
	// A step that is late by what a busy machine may be changes nothing.
	c := play(&Suspicion{Limit: 400 * ms}, 3*time.Second, func(after time.Duration, dialed time.Time) Look {
		if after > Quiet {
			after += late - ms
		}
		return silentHost(after, dialed)
	})
	if c.whole < 0 || c.whole > Quiet+404*ms+2*late {
		t.Errorf("a busy machine: whole after %v", c.whole)
	}
}
