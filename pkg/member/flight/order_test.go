package flight

import (
	"testing"
	"testing/synctest"
	"time"
)

// Under a leader that stays, a request is lost if a later one is answered; one that
// is slow is not, and neither is what is proposed late or goes on after it is applied.
func TestOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, tracker := scene(t)
		lost := put(t.Context(), tracker, requestTimeout)
		password := request(t.Context(), tracker, "/etcdserverpb.Auth/UserAdd", nil, requestTimeout, nil)
		compaction := request(t.Context(), tracker, "/etcdserverpb.KV/Compact", nil, requestTimeout, nil)
		time.Sleep(slack - time.Millisecond)
		<-put(t.Context(), tracker, 0)
		time.Sleep(2 * orderCheck)
		select {
		case <-lost:
			t.Fatal("a request that began a moment later proves nothing")
		default:
		}
		slow := put(t.Context(), tracker, requestTimeout)
		<-put(t.Context(), tracker, 100*time.Millisecond)
		if r := <-lost; r.err != errLost || r.took > 3*slack+2*orderCheck {
			t.Errorf("%v after %v", r.err, r.took)
		}
		for _, r := range []result{<-password, <-compaction, <-slow} {
			if r.err != nil {
				t.Errorf("after %v: %v", r.took, r.err)
			}
		}
	})
}

// Two checks at once, after a pause of the process, prove as much as one.
func TestOrderAfterPause(t *testing.T) {
	var o order
	at := time.Now()
	o.answered(at)
	o.check(at.Add(slack))
	o.answered(at.Add(10 * slack))
	pause := at.Add(11 * slack)
	o.check(pause)
	if before := o.check(pause.Add(slack - 1)); before.After(at) {
		t.Errorf("an answer that came a moment ago proves that all before %v is lost", before.Sub(at))
	}
	if before := o.check(pause.Add(orderCheck)); !before.Equal(at.Add(9 * slack)) {
		t.Errorf("a check later what is before %v is lost", before.Sub(at))
	}
}
