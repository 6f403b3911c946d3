package peers

import (
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// A real peer tells its version once, and how far away it is on average.
func TestVersionAndTrip(t *testing.T) {
	m := loopback.New("a", t.TempDir())
	cfg := m.Config()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	<-e.Server.ReadyNotify()
	c := NewClient(nil, nil)
	p := Peer{ID: "1", URLs: []string{m.Peer}}
	var f Findings
	round := func(x Finding) Finding {
		f.put([]Peer{p}, []Finding{x})
		got, _ := f.Of(p)
		return got
	}
	x := c.Probe(t.Context(), p.URLs)
	if !x.OK || x.Trip <= 0 || x.Trip > time.Second || !f.asksVersion(p) {
		t.Fatalf("%+v", x)
	}
	if x.Version = c.Version(t.Context(), p.URLs); x.Version != version.Version {
		t.Fatalf("version %q", x.Version)
	}
	x.Trip = 800 * time.Microsecond
	if got := round(x); got.Version != version.Version || got.Trip != 0 || f.asksVersion(p) {
		t.Errorf("%+v: the first has connected, too", got)
	}
	if got := round(Finding{OK: true, Trip: 800 * time.Microsecond}); got.Trip != 800*time.Microsecond {
		t.Errorf("%+v", got)
	}
	if got := round(Finding{OK: true, Trip: 1600 * time.Microsecond}); got.Version != version.Version || got.Trip != 900*time.Microsecond {
		t.Errorf("%+v: it does not keep the version, or the average", got)
	}
	// One that was away may be another version since.
	round(Finding{Cause: "refused"})
	if !f.asksVersion(p) {
		t.Error("it is not asked again")
	}
	if v := c.Version(t.Context(), []string{"unix://a", "http://127.0.0.1:1"}); v != "" {
		t.Errorf("version %q of nobody", v)
	}
}
