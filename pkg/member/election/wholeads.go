package election

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/lease/leasehttp"
)

// leads is what is known of who leads.
type leads int

const (
	unknown  leads = iota // somebody neither answers nor refuses
	nobody                // all have said so, or are not there
	somebody              // one has said so
)

// whoLeads asks the voting members, this one aside, whether one of them leads.
// Not longer than a quarter of the election timeout: who is slower than that is
// no leader for long.
func (e *Elector) whoLeads(ctx context.Context, ids []uint64) leads {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout/4)
	defer cancel()
	answers := make(chan leads, len(ids))
	asked := 0
	for _, id := range ids {
		if id != e.opts.Self {
			asked++
			go func() { answers <- e.opts.Network.leads(ctx, e.peerURLs(id)) }()
		}
	}
	sum := nobody
	for ; asked > 0; asked-- {
		switch <-answers {
		case somebody:
			return somebody
		case unknown:
			sum = unknown
		}
	}
	return sum
}

// leads asks a member, at its peer URLs, whether it leads: by renewing a lease
// that is none. Only the leader of any version of etcd looks for it; the others
// say that it is not theirs to renew. Nothing is changed by that.
func (n Network) leads(ctx context.Context, urls []string) leads {
	client := http.Client{Transport: &http.Transport{
		// net/http goes on with a connection after the request for it has been
		// given up: where a peer's kernel accepts and nobody answers, for ever.
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			return n.Dial(ctx, address)
		},
		TLSHandshakeTimeout: dialTimeout,
		TLSClientConfig:     n.TLS,
		DisableKeepAlives:   true,
	}}
	defer client.CloseIdleConnections()
	sum := nobody
	for _, u := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(u, "/")+leasehttp.LeasePrefix, bytes.NewReader(nil))
		if err != nil {
			return unknown
		}
		resp, err := client.Do(req)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		sum = unknown
		if err != nil {
			continue
		}
		said, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // one line
		resp.Body.Close()
		if err != nil {
			continue
		}
		switch strings.TrimSpace(string(said)) {
		case lease.ErrLeaseNotFound.Error():
			return somebody
		case lease.ErrNotPrimary.Error():
			return nobody
		}
	}
	return sum
}
