package peers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"

	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/lease/leasehttp"
)

// Leadership tells whether a member leads.
type Leadership int

const (
	Unknown Leadership = iota // it neither answers nor refuses the connection
	Follows                   // it says that it does not lead, or it is not there
	Leads                     // it says that it leads
)

// Leads asks a member, at its peer URLs, whether it leads, until ctx ends: by
// renewing a lease that does not exist. Only the leader of any version of etcd
// looks for it; the others say that it is not theirs to renew. Nothing is
// changed by that.
//
// Each question has a connection of its own: where the process is gone, its
// kernel refuses a new one, and says nothing on an old one.
func (c *Client) Leads(ctx context.Context, urls []string) Leadership {
	known := Follows
	for _, u := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(u, "/")+leasehttp.LeasePrefix, nil)
		if err != nil {
			return Unknown
		}
		resp, err := c.fresh.Do(req)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		known = Unknown
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
			return Leads
		case lease.ErrNotPrimary.Error():
			return Follows
		}
	}
	return known
}
