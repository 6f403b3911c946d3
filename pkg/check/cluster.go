package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	humanize "github.com/dustin/go-humanize"
	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/member/peers"
	"go.uber.org/zap"
	"google.golang.org/grpc/status"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// behind is how many entries a follower may lack that is in step: what is written in
	// a second of a busy cluster.
	behind = 1000
	// memberLimit is for the answers of one member.
	memberLimit = 3 * time.Second
)

// Client says how a client reaches this node's member.
type Client struct {
	URL                string
	CA, Cert, Key      string // paths; "" for none
	Insecure           bool   // its certificate is signed by nobody
	User, UserPassword string
	// Others finds out client URLs of other members, for where this node's does not
	// answer; nil: there are none.
	Others func(ctx context.Context) []string
}

// All asks every member of the cluster through its client port what it says of itself,
// and compares.
func All(ctx context.Context, c Client) []Result {
	config := clientv3.Config{
		Endpoints: []string{c.URL}, DialTimeout: memberLimit, Logger: zap.NewNop(),
		Username: c.User, Password: c.UserPassword,
	}
	if strings.HasPrefix(c.URL, "https://") {
		info := transport.TLSInfo{TrustedCAFile: c.CA, CertFile: c.Cert, KeyFile: c.Key, InsecureSkipVerify: c.Insecure}
		tlsConfig, err := info.ClientConfig()
		if err != nil {
			return []Result{{"cluster", Problem, "the client certificates cannot be used: " + err.Error(), "etcd-node config"}}
		}
		config.TLS = tlsConfig
	}
	ctx, cancel := context.WithTimeout(ctx, 4*memberLimit) // for the list, twice, and the members
	defer cancel()
	members, err := listed(ctx, config)
	var elsewhere []Result
	if _, is := unauthorized(err); err != nil && !is && c.Others != nil {
		elsewhere = []Result{{"cluster", Problem, fmt.Sprintf("%s, this node's own, does not tell the members: %v", hostOf(c.URL), plain(err)), "etcd-node status"}}
		for _, u := range c.Others(ctx) {
			config.Endpoints = []string{u}
			if members, err = listed(ctx, config); err == nil {
				break
			}
		}
	}
	if text, is := unauthorized(err); is {
		return []Result{{"cluster", Warning, text, asUser}}
	}
	if err != nil {
		return []Result{{"cluster", Problem, fmt.Sprintf("%s does not tell the members: %v", hostOf(c.URL), plain(err)), "etcd-node status; etcd-node ctl member list"}}
	}
	found := make([]member, len(members))
	var asked sync.WaitGroup
	for i, m := range members {
		asked.Go(func() { found[i] = ask(ctx, config, m) })
	}
	asked.Wait()
	return append(elsewhere, compare(found)...)
}

// ClientURLs asks the peers of the list under which URLs clients reach the members.
func ClientURLs(ctx context.Context, of Node) (urls []string) {
	config, err := etcdflags.MemberAt(zap.NewNop(), of.Resolved.Args(), of.Resolved.Secrets())
	if err != nil {
		return nil
	}
	n := &node{Node: of, config: config}
	tlsConfig, err := peers.ClientTLS(config.PeerTLSInfo, config.PeerAutoTLS)
	if err != nil {
		return nil
	}
	client := peers.NewClient(tlsConfig, nil)
	all, _ := n.others()
	for _, p := range all {
		for _, u := range p.URLs {
			list, err := client.Members(ctx, u)
			if err != nil {
				continue
			}
			for _, m := range list.Members {
				urls = append(urls, m.ClientURLs...)
			}
			return urls
		}
	}
	return nil
}

// listed are the members that the one of a configuration knows.
func listed(ctx context.Context, config clientv3.Config) ([]*etcdserverpb.Member, error) {
	cli, err := clientv3.New(config)
	if err != nil {
		return nil, err
	}
	defer cli.Close()
	ctx, cancel := context.WithTimeout(ctx, memberLimit)
	defer cancel()
	answer, err := cli.MemberList(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(answer.Members, func(a, b *etcdserverpb.Member) int { return strings.Compare(a.Name, b.Name) })
	return answer.Members, nil
}

// member is what one says of itself.
type member struct {
	name   string
	id     uint64
	says   *clientv3.StatusResponse
	failed error
}

func ask(ctx context.Context, config clientv3.Config, m *etcdserverpb.Member) (x member) {
	x.name, x.id = m.Name, m.ID
	if m.Name == "" {
		x.name = types.ID(m.ID).String()
	}
	if len(m.ClientURLs) == 0 {
		x.failed = errors.New("it has never served")
		return x
	}
	if config.TLS != nil {
		config.TLS = config.TLS.Clone()
	} else if strings.HasPrefix(m.ClientURLs[0], "https://") {
		config.TLS = &tls.Config{InsecureSkipVerify: true} // this node's has no TLS to tell whom to trust
	}
	config.Endpoints = m.ClientURLs[:1]
	cli, err := clientv3.New(config)
	if err != nil {
		x.failed = err
		return x
	}
	defer cli.Close()
	ctx, cancel := context.WithTimeout(ctx, memberLimit)
	defer cancel()
	x.says, x.failed = cli.Status(ctx, m.ClientURLs[0])
	return x
}

// compare finds where members differ, and who is not well.
func compare(all []member) (results []Result) {
	var committed uint64
	leaders, versions := map[uint64][]string{}, map[string][]string{}
	for _, m := range all {
		if m.failed == nil {
			committed = max(committed, m.says.RaftIndex)
			leaders[m.says.Leader] = append(leaders[m.says.Leader], m.name)
			minor := m.says.Version[:strings.LastIndexByte(m.says.Version, '.')+1]
			versions[minor] = append(versions[minor], m.name+" "+m.says.Version)
		}
	}
	for _, m := range all {
		results = append(results, m.results(committed)...)
	}
	if len(leaders) > 1 {
		var say []string
		for id, names := range leaders {
			of := "no leader"
			if id != 0 {
				of = "leader " + types.ID(id).String()
			}
			say = append(say, fmt.Sprintf("%s: %s", strings.Join(names, ", "), of))
		}
		slices.Sort(say)
		results = append(results, Result{"leader", Problem, "the members do not agree: " + strings.Join(say, "; "), "ask again in some seconds; then etcd-node explain on each"})
	}
	if len(versions) > 1 {
		var say []string
		for _, names := range versions {
			say = append(say, names...)
		}
		slices.Sort(say)
		results = append(results, Result{"versions", Warning, "the members differ: " + strings.Join(say, ", "), "finish the upgrade: no more than one minor version apart, and not for long"})
	}
	return results
}

// results are those of one member.
func (m member) results(committed uint64) (results []Result) {
	what := "member " + m.name
	if m.failed != nil {
		next := "systemctl status etcd there; etcd-node check there"
		if text, is := unauthorized(m.failed); is {
			return []Result{{what, Warning, text, asUser}}
		}
		return []Result{{what, Problem, plain(m.failed), next}}
	}
	s := m.says
	text := fmt.Sprintf("etcd %s, %s of %s in the database", s.Version, humanize.IBytes(uint64(s.DbSize)), humanize.IBytes(uint64(s.DbSizeQuota)))
	if s.Leader == m.id {
		text += ", leader"
	}
	if s.IsLearner {
		text += ", learner"
	}
	add := func(level Level, more, next string) {
		results = append(results, Result{what, level, text + ": " + more, next})
	}
	for _, e := range s.Errors {
		add(Problem, e, "etcd-node ctl alarm list; etcd-node explain there")
	}
	if s.Leader == 0 && len(s.Errors) == 0 {
		add(Problem, "no leader", "etcd-node explain there")
	}
	if full := float64(s.DbSize) / float64(max(1, s.DbSizeQuota)); s.DbSizeQuota > 0 && full > 0.8 {
		level := Warning
		if full > 0.95 {
			level = Problem
		}
		add(level, fmt.Sprintf("%.0f %% of its quota", full*100), "compact and defragment, or raise the quota: etcd-node explain quota-low")
	}
	if lag := committed - min(committed, s.RaftAppliedIndex); lag > behind {
		add(Warning, fmt.Sprintf("%d entries behind", lag), "is its disk slow, or has it just been started? etcd-node status there")
	}
	if len(results) == 0 {
		results = append(results, ok(what, "%s", text))
	}
	return results
}

// asUser is how a user is given.
const asUser = "ETCDCTL_USER=USER:PASSWORD etcd-node check --all"

// unauthorized reports that an answer was refused because of who asks. etcd's client
// has turned what gRPC said into an error of its own, without gRPC's status.
func unauthorized(err error) (text string, is bool) {
	switch {
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return "authentication is on, and this asks without a user", true
	case errors.Is(err, rpctypes.ErrAuthFailed):
		return "authentication is on, and the user or the password is wrong", true
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return "authentication is on, and this user may not ask", true
	}
	return "", false
}

// plain is an error without the words of gRPC.
func plain(err error) string {
	if s, is := status.FromError(err); is && s.Message() != "" {
		return s.Message()
	}
	return err.Error()
}
