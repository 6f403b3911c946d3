package main

import (
	"context"
	"fmt"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// readAll is how long a member may take to read all of its data: some hundred MB.
const readAll = 20 * time.Second

// digest is a member's whole data at a revision, in one number. Two are
// comparable if they were compacted at the same revision.
type digest struct {
	revision, compacted int64
	hash                uint32
}

func (d digest) String() string {
	return fmt.Sprintf("%08x at revision %d, compacted at %d", d.hash, d.revision, d.compacted)
}

// agree compares all members at the same revision. Nobody writes any more: they
// have a moment to catch up and to compact.
func agree(ctx context.Context, nodes []*node) (digest, error) {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	var first digest
	err := poll.Until(ctx, time.Second, func() error {
		digests := make([]digest, len(nodes))
		for i, n := range nodes {
			ctx, cancel := context.WithTimeout(ctx, glance)
			s, err := n.client.Status(ctx, n.url())
			cancel()
			if err != nil {
				return fmt.Errorf("status of %s: %w", n.Name, err)
			}
			digests[i].revision = s.Header.Revision
		}
		for i, n := range nodes {
			ctx, cancel := context.WithTimeout(ctx, readAll)
			h, err := n.client.HashKV(ctx, n.url(), digests[0].revision)
			cancel()
			if err != nil {
				return fmt.Errorf("hash of %s: %w", n.Name, err)
			}
			digests[i].hash, digests[i].compacted = h.Hash, h.CompactRevision
		}
		first = digests[0]
		return differ(digests, func(i int) string { return nodes[i].Name })
	})
	return first, err
}

// differ says which two are not the same.
func differ(digests []digest, name func(int) string) error {
	for i, d := range digests {
		if d != digests[0] {
			return fmt.Errorf("%s has %v, %s has %v", name(0), digests[0], name(i), d)
		}
	}
	return nil
}
