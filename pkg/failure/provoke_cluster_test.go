package failure

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/etcd-node/etcd-node/test/loopback"
)

// provokeCluster: what a cluster of three says to one of its members.
var provokeCluster = []provocation{
	{"removed while it runs", IDRemoved, "the member has been permanently removed from the cluster", anyone, func(c *child) {
		t := c.three()
		_, err := t.etcd[0].Server.RemoveMember(context.Background(), uint64(t.etcd[2].Server.MemberID()))
		c.must(err)
		t.watch(t.etcd[2])
	}},
	{"removed while it is down", IDRemoved, "", anyone, func(c *child) {
		t := c.three()
		t.etcd[2].Close()
		_, err := t.etcd[0].Server.RemoveMember(context.Background(), uint64(t.etcd[2].Server.MemberID()))
		c.must(err)
		t.again()
	}},
	{"wiped, state new", IDWipedRejoin, "has already been bootstrapped", anyone, func(c *child) {
		t := c.three()
		t.wipe()
		t.again()
	}},
	{"wiped, state existing", IDWipedRejoin, "tocommit(…is out of range [lastIndex(0)]", anyone, func(c *child) {
		t := c.three()
		t.wipe()
		t.again(existing)
	}},
	{"set back to an older state", IDWALLost, "tocommit(…is out of range [lastIndex(", anyone, func(c *child) {
		t := c.three()
		data, old := t.cfg[2]().Dir, filepath.Join(c.dir, "old")
		t.etcd[2].Close()
		c.copyTo(data, old)
		t.etcd[2] = c.serve(t.cfg[2]())
		c.put(t.etcd[0], 50, 10)
		t.caughtUp()
		t.etcd[2].Close()
		c.copyTo(old, data)
		t.again()
	}},
	{"message of a peer that cannot be decoded", IDMessage, "", anyone, func(c *child) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		c.must(err)
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Server-Version", version.Version)
			_, _ = w.Write([]byte{0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff}) // an append of 2 bytes
		}))
		cfg := c.member()
		cfg.InitialCluster += ",b=http://" + l.Addr().String()
		c.watch(c.start(cfg))
	}},
	{"other data than its peers", "data-inconsistent", "found data inconsistency with peers", anyone, func(c *child) {
		t := c.three()
		t.caughtUp()
		t.etcd[2].Close()
		c.edit(filepath.Join(t.cfg[2]().Dir, db), func(tx backend.BatchTx) {
			keys, values := tx.UnsafeRange(schema.Key, make([]byte, 17), bytes.Repeat([]byte{0xff}, 17), 1)
			other := bytes.Clone(values[0])
			other[len(other)-1] ^= 1
			tx.UnsafePut(schema.Key, bytes.Clone(keys[0]), other)
		})
		t.again(func(cfg *embed.Config) {
			c.must(cfg.ServerFeatureGate.(featuregate.MutableFeatureGate).Set("InitialCorruptCheck=true"))
		})
	}},
	{"another number of members", IDConfiguration, "member count is unequal", anyone, func(c *child) {
		t := c.three()
		t.wipe()
		t.again(existing, func(cfg *embed.Config) { cfg.InitialCluster += ",d=http://" + loopback.Address() })
	}},
	{"other members", IDConfiguration, "error validating peerURLs", anyone, func(c *child) {
		t := c.three()
		t.wipe()
		_, err := t.etcd[0].Server.RemoveMember(context.Background(), uint64(t.etcd[2].Server.MemberID()))
		c.must(err)
		_, err = t.etcd[0].Server.AddMember(context.Background(), *membership.NewMember("", loopback.URLs("http://"+loopback.Address()), "", nil))
		c.must(err)
		t.again(existing)
	}},
}

// wipe stops the third member and removes its data.
func (t *trio) wipe() {
	t.etcd[2].Close()
	t.must(os.RemoveAll(t.cfg[2]().Dir))
}

func existing(cfg *embed.Config) { cfg.ClusterState = embed.ClusterStateFlagExisting }
