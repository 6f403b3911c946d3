package adopt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-semver/semver"
	"go.uber.org/zap"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
)

// Member is who lives in the data that is to be taken over.
type Member struct {
	ID, Cluster string // hexadecimal
	Version     string // of the etcd that runs; "" where none answers
	Storage     string // the storage version; "" where the data is in use
}

// Others asks every other voting member whether it serves, as a member of this cluster,
// and as an etcd that goes together with this one: they are needed while this member is
// down. It is told who they are by the other etcd, or by the data.
func (p *Plan) Others(ctx context.Context, m Member) error {
	cfg, err := etcdflags.MemberAt(zap.NewNop(), p.Then.Args(), p.Then.Secrets())
	if err != nil {
		return err
	}
	tlsConfig, err := peers.ClientTLS(cfg.PeerTLSInfo, cfg.PeerAutoTLS)
	if err != nil {
		return err
	}
	client := peers.NewClient(tlsConfig, nil)
	others := map[string][]string{} // peer URLs by name
	own := false
	for _, u := range cfg.AdvertisePeerUrls {
		list, err := client.Members(ctx, u.String())
		if err != nil || list.ClusterID != m.Cluster {
			continue
		}
		for _, x := range list.Members {
			if types.ID(x.ID).String() == m.ID {
				own = true
			} else if !x.Learner {
				others[x.Name] = x.PeerURLs
			}
		}
	}
	if !own { // it does not run
		d, err := datadir.Inspect(cfg.Dir, cfg.WalDir)
		if err != nil {
			return err
		}
		for _, x := range d.DB.Members {
			if types.ID(x.ID).String() == m.ID {
				own = true
			} else if !x.Learner {
				others[x.Name] = x.PeerURLs
			}
		}
	}
	if !own {
		return errors.New("neither the other etcd nor the data says who the members are")
	}
	var why []error
	for _, name := range slices.Sorted(maps.Keys(others)) {
		f := client.Probe(ctx, others[name])
		switch {
		case !f.OK:
			why = append(why, fmt.Errorf("%s does not answer: %s", name, f.Cause))
			continue
		case f.ClusterID != "" && f.ClusterID != m.Cluster:
			why = append(why, fmt.Errorf("%s answers as a member of cluster %s", name, f.ClusterID))
			continue
		}
		if err := tooOld(client.Version(ctx, others[name])); err != nil {
			why = append(why, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(why...)
}

// Older reports whether the etcd that runs is of a minor version before this one.
func (m Member) Older() bool {
	v, err := semver.NewVersion(m.Version)
	return err == nil && v.Minor < semver.Must(semver.NewVersion(version.Version)).Minor
}

// askLimit is for the other etcd to tell its version: it is on this machine.
const askLimit = 2 * time.Second

// Look looks at the data, and asks the other etcd for its version if it runs. The error
// says why etcd-node cannot take it over.
func (p *Plan) Look(ctx context.Context) (m Member, err error) {
	cfg, err := etcdflags.MemberAt(zap.NewNop(), p.Then.Args(), p.Then.Secrets())
	if err != nil {
		return m, err
	}
	d, err := datadir.Inspect(cfg.Dir, cfg.WalDir)
	if err != nil {
		return m, err
	}
	if d.Empty() {
		return m, fmt.Errorf("%s holds no member: is it the right one, and mounted?", cfg.Dir)
	}
	m.ID, m.Cluster, m.Storage = types.ID(d.WAL.MemberID).String(), types.ID(d.WAL.ClusterID).String(), d.DB.StorageVersion
	if why, yes := d.Foreign(); yes {
		return m, errors.New(why)
	}
	if pin, ok, err := p.Pins.Load(); err == nil && ok && (pin.MemberID != m.ID || pin.ClusterID != m.Cluster) {
		return m, fmt.Errorf("etcd-node has run another member on this machine, %s: if that one is gone for good, etcd-node forget", pin)
	}
	tlsConfig, err := peers.ClientTLS(cfg.PeerTLSInfo, cfg.PeerAutoTLS)
	if err != nil {
		return m, err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var urls []string
	for _, u := range cfg.AdvertisePeerUrls {
		urls = append(urls, u.String())
	}
	m.Version = peers.NewClient(tlsConfig, nil).Version(ctx, urls)
	return m, tooOld(m.Version)
}

// tooNew says so where the data is of a later minor version than the etcd that is to
// read it.
func tooNew(storage, other string) error {
	s, err1 := semver.NewVersion(storage)
	o, err2 := semver.NewVersion(other)
	if err1 != nil || err2 != nil || s.Major == o.Major && s.Minor <= o.Minor {
		return nil
	}
	return fmt.Errorf("the data is of etcd %d.%d by now, which etcd %s does not read: on one machine etcd-node ctl downgrade enable %d.%d; when etcd-node check --all shows that all members have gone down, again on each",
		s.Major, s.Minor, other, o.Major, o.Minor)
}

// tooOld says so of an etcd whose data 3.7 cannot take over yet.
func tooOld(running string) error {
	v, err := semver.NewVersion(strings.TrimPrefix(running, "v"))
	own := semver.Must(semver.NewVersion(version.Version))
	switch {
	case err != nil:
		return nil // the data has said what it is
	case v.Major == own.Major && v.Minor > own.Minor:
		return fmt.Errorf("etcd %s runs, which is later than %s: etcdctl downgrade first, one minor version at a time", running, version.Version)
	case v.Major == own.Major && v.Minor >= own.Minor-1:
		return nil
	}
	path := []string{fmt.Sprintf("%d.%d", v.Major, v.Minor)}
	for minor := v.Minor + 1; minor <= own.Minor-1; minor++ {
		path = append(path, fmt.Sprintf("%d.%d", v.Major, minor))
	}
	return fmt.Errorf("etcd %s runs: upgrade it with etcd's own binaries first, one minor version at a time, on all machines before the next: %s; then adopt it", running, strings.Join(path, " → "))
}
