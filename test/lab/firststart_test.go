package lab

import (
	"strings"
	"sync"
	"testing"

	"github.com/etcd-node/etcd-node/test/poll"
)

// A cluster of one serves, the list grows in the file of every machine, and a
// tool restarts etcd on all of them at once. The new ones begin nothing, name the
// cluster and the command, and join when that was run.
func TestListGrows(t *testing.T) {
	c := hosts(t)
	first, _, _ := strings.Cut(c.initialCluster(), ",")
	c.env(first)
	c.start(1)
	c.env(c.initialCluster())
	var wg sync.WaitGroup
	for i, verb := range []string{"restart", "start", "start"} {
		wg.Go(func() { _, _ = c.host(i+1).Run(t.Context(), "systemctl", verb, "--no-block", "etcd") })
	}
	wg.Wait()
	for i := 2; i <= 3; i++ {
		h := c.host(i)
		c.status(i, "joining: cluster ", "of etcd-1 does not list "+h.Name+" (http://"+h.IP+":2380), and nothing is begun here",
			"etcd-node ctl member add "+h.Name+" --learner --peer-urls=http://"+h.IP+":2380 --endpoints=http://"+c.host(1).IP+":2379")
		if left := c.run(i, "ls", "/var/lib/etcd"); left != "" {
			t.Errorf("%s began something: %s", h.Name, left)
		}
	}
	c.status(1, "serving: leader, 1 of 1 member")
	cli := c.client(c.host(1))
	for i := 2; i <= 3; i++ {
		// etcd refuses for 5 s after a start: "unhealthy cluster".
		poll.Eventually(t, func() error {
			_, err := cli.MemberAdd(t.Context(), []string{"http://" + c.host(i).IP + ":2380"})
			return err
		})
		c.await(i, "active", func(u Unit) bool { return u.ActiveState == "active" && u.NRestarts == 0 })
	}
	c.agrees()
}
