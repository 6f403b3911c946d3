package member

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	logged "go.uber.org/zap/zaptest/observer"
)

// A peer with the wrong certificate dials ten times a second and more.
func TestRejections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, lines := logged.New(zapcore.InfoLevel)
		log := zap.New(newRejectionFilter(core))
		port := 40000
		reject := func(log *zap.Logger, message, host, reason string) {
			port++ // another one each time, also in some reasons
			addr := fmt.Sprintf("%s:%d", host, port)
			log.Warn(message, zap.String("remote-addr", addr), zap.String("server-name", ""), zap.Error(errors.New(reason+addr)))
		}
		begun := time.Now()
		for range 200 { // 20 s
			reject(log, msgPeerRejected, "192.0.2.1", "tls: bad certificate from ")
			time.Sleep(100 * time.Millisecond)
		}
		if n := lines.Len(); n != 1 {
			t.Fatalf("%d lines for one peer", n)
		}
		if first := lines.All()[0]; len(first.Context) != 3 || !first.Time.Equal(begun) {
			t.Errorf("the first is not etcd's: %+v", first)
		}
		// Another host, another reason, another endpoint, a clone.
		reject(log, msgPeerRejected, "192.0.2.2", "tls: bad certificate from ")
		reject(log, msgPeerRejected, "192.0.2.1", "EOF from ")
		reject(log.With(zap.Int("n", 1)), msgClientRejected, "192.0.2.1", "EOF from ")
		reject(log.With(zap.Int("n", 1)), msgPeerRejected, "192.0.2.1", "EOF from ")
		if n := lines.Len(); n != 4 {
			t.Errorf("%d lines for four kinds", n)
		}
		log.Info("something else")
		log.Info("something else")
		if n := lines.Len(); n != 6 {
			t.Errorf("%d lines, with two others", n)
		}
		lines.TakeAll()

		// The rest is told when the minute is over, by a number; then there is peace,
		// and the next is a first again.
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		all := lines.TakeAll()
		if len(all) != 1 || all[0].ContextMap()["rejected-in-the-last-minute"] != int64(199) || all[0].Level != zapcore.WarnLevel || all[0].Time.Sub(begun) != time.Minute {
			t.Errorf("after a minute: %+v", all)
		}
		time.Sleep(3 * time.Minute)
		if all := lines.TakeAll(); len(all) != 1 || all[0].ContextMap()["rejected-in-the-last-minute"] != int64(1) || all[0].ContextMap()["n"] != int64(1) {
			t.Errorf("after more: %+v", all)
		}
		reject(log, msgPeerRejected, "192.0.2.1", "tls: bad certificate from ")
		if n := lines.Len(); n != 1 {
			t.Errorf("%d lines after a pause", n)
		}
		time.Sleep(2 * time.Minute) // its timer ends
	})
}

// Each core keeps its level.
func TestRejectionsLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet, little := logged.New(zapcore.ErrorLevel)
		loud, much := logged.New(zapcore.DebugLevel)
		log := zap.New(newRejectionFilter(zapcore.NewTee(quiet, loud)))
		log.Warn(msgPeerRejected, zap.String("remote-addr", "192.0.2.1:1"))
		log.Debug(msgPeerRejected, zap.String("remote-addr", "192.0.2.2:1"))
		if little.Len() != 0 || much.Len() != 2 {
			t.Errorf("%d and %d lines", little.Len(), much.Len())
		}
		time.Sleep(2 * time.Minute)
	})
}

// What has no bound in number has one in memory, and nothing is lost for it.
func TestRejectionsMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, lines := logged.New(zapcore.InfoLevel)
		f := newRejectionFilter(core)
		log := zap.New(f)
		for i := range 2 * rejectionKinds {
			log.Warn(msgPeerRejected, zap.String("remote-addr", fmt.Sprintf("192.0.%d.%d:1", i/256, i%256)))
		}
		kinds := func() int {
			f.seen.mu.Lock()
			defer f.seen.mu.Unlock()
			return len(f.seen.kinds)
		}
		if lines.Len() != 2*rejectionKinds || kinds() != rejectionKinds {
			t.Errorf("%d lines, %d kinds", lines.Len(), kinds())
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if kinds() != 0 {
			t.Errorf("%d kinds are left", kinds())
		}
	})
}
