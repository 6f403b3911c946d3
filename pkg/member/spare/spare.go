package spare

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// answerLimit is for one answer: a linearizable read takes milliseconds, and an
	// election that it may have to wait for less than this.
	answerLimit = 3 * time.Second
	// patience is how long a member may take to be in step: one that has just been
	// restarted catches up meanwhile.
	patience = 10 * time.Second
	// fresh is how old the first yes may be when the last one comes.
	fresh = 500 * time.Millisecond
	// pause is between two questions to a member, which logs each that it has to deny.
	pause = 250 * time.Millisecond
	// bodyLimit is more than any answer of /health, in bytes.
	bodyLimit = 4 << 10
)

// Member is one of the cluster.
type Member struct {
	Name       string
	ClientURLs []string // none before it has served for the first time
	PeerURLs   []string
	ID         uint64
	Learner    bool
	Self       bool
}

// Asker asks members.
type Asker struct {
	// TLS are the configurations with which a member is asked, the first that it
	// takes counts; empty: its servers have no TLS.
	TLS []*tls.Config
	// Dial connects; nil: net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Is reports whether a member answers at its own peer port, because no answer to a
	// client names who has given it; nil: that is not asked.
	Is func(ctx context.Context, m Member) bool
	// Own reports whether a host and port lead to the member that asks; nil: none does.
	Own func(ctx context.Context, host, port string) bool

	patience time.Duration // 0: the constant
}

// Check returns nil if the cluster can spare the member that is Self: else an error
// that says why, a line for each reason. It takes up to 10 s, as long as a member is
// not in step. It ends with ctx.
func (a Asker) Check(ctx context.Context, members []Member) error {
	voters := 0
	for _, m := range members {
		if m.Self && m.Learner {
			return nil // it has no vote
		}
		if !m.Learner {
			voters++
		}
	}
	switch voters {
	case 0:
		return errors.New("the members of the cluster are not known")
	case 1:
		return errors.New("this is the only voting member: nobody serves without it")
	case 2:
		return errors.New("there are two voting members: one alone has no quorum")
	}
	limit := a.patience
	if limit == 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	listed := make(map[string]int)
	for _, m := range members {
		for _, u := range m.ClientURLs {
			listed[u]++
		}
	}
	for {
		begun := time.Now()
		why := make([]error, len(members))
		var asked sync.WaitGroup
		for i, m := range members {
			if !m.Self && !m.Learner {
				asked.Go(func() { why[i] = a.inStep(ctx, m, listed) })
			}
		}
		asked.Wait()
		if err := errors.Join(why...); err != nil || time.Since(begun) <= fresh {
			return err
		}
		// One has said yes so long ago that it may have gone since.
	}
}

// inStep returns once a member has said that it serves and is in step, and its last
// answer if it does not before ctx ends. A URL that several members list, such as
// that of localhost, does not tell which of them answers.
func (a Asker) inStep(ctx context.Context, m Member, listed map[string]int) error {
	if len(m.ClientURLs) == 0 {
		return fmt.Errorf("%s has never served", m.Name)
	}
	last := errors.New("it was not asked in time")
	for {
		for _, u := range m.ClientURLs {
			err := fmt.Errorf("%s is listed for several members: set ETCD_ADVERTISE_CLIENT_URLS on each", u)
			if listed[u] == 1 {
				err = a.ask(ctx, u)
			}
			if err == nil && a.Is != nil && !a.Is(ctx, m) {
				err = fmt.Errorf("%s answers, but at the peer URL of %s nobody answers as that member", u, m.Name)
			}
			if err == nil {
				return nil
			}
			if ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) { // else the one before says more
				last = err
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			var op *net.OpError
			if errors.As(last, &op) && op.Op == "dial" {
				return fmt.Errorf("%s does not answer: %w", m.Name, op)
			}
			return fmt.Errorf("%s is not in step: %w", m.Name, last)
		}
	}
}

// ask asks at one client URL.
func (a Asker) ask(ctx context.Context, clientURL string) error {
	u, err := url.Parse(clientURL)
	if err != nil {
		return err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s cannot be asked from here", clientURL)
	}
	if a.Own != nil && a.Own(ctx, u.Hostname(), u.Port()) {
		return fmt.Errorf("%s leads to this member itself: set ETCD_ADVERTISE_CLIENT_URLS there", clientURL)
	}
	u = u.JoinPath("health")
	u.RawQuery = "exclude=NOSPACE" // it keeps nobody from following the leader
	configs := a.TLS
	if u.Scheme == "http" || len(configs) == 0 {
		configs = []*tls.Config{nil}
	}
	for _, config := range configs {
		if err = a.get(ctx, u.String(), config); err == nil {
			return nil
		}
	}
	return err
}

func (a Asker) get(ctx context.Context, at string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	t := &http.Transport{DialContext: a.Dial, TLSClientConfig: config, DisableKeepAlives: true} // past any proxy
	answer, err := t.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	var health struct {
		Health string `json:"health"`
		Reason string `json:"reason"`
	}
	switch err := json.Unmarshal(body, &health); {
	case err != nil:
		return fmt.Errorf("%s answers as no etcd does: %s", at, answer.Status)
	case health.Health != "true":
		return fmt.Errorf("%s: %s", at, strings.ToLower(strings.TrimSpace(health.Reason)))
	}
	return nil
}
