package main

import (
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// quota is what is said before the cluster stops taking writes.
func (p *product) quota() []fault {
	return []fault{
		{"the database has reached 90 % of its quota", failure.IDQuotaLow, shown + "; before the alarm, while puts still work", goalExplained, p.on(func(s *stage) (string, time.Duration) {
			n := s.used()
			n.set("ETCD_QUOTA_BACKEND_BYTES", "16777216")
			n.up()
			c := n.etcd()
			compact := func(revision int64) { // has etcd write all that it has: it tells the size as of then
				_, err := c.Compact(s.ctx, revision, clientv3.WithCompactPhysical())
				s.must(err)
			}
			for i := 0; ; i++ {
				now, err := c.Status(s.ctx, n.Client)
				s.must(err)
				if now.DbSize >= 16777216*9/10 {
					break
				}
				r, err := c.Put(s.ctx, fmt.Sprint("burden", i), strings.Repeat("x", 512<<10))
				s.must(err)
				compact(r.Header.Revision)
			}
			at := time.Now()
			line, shown := n.condition(failure.IDQuotaLow)
			n.kept()
			r, err := c.Delete(s.ctx, "burden", clientv3.WithPrefix())
			s.must(err)
			compact(r.Header.Revision)
			_, err = c.Defragment(s.ctx, n.Client)
			s.must(err)
			n.well()
			return n.essence(line), shown.Sub(at)
		})},
	}
}
