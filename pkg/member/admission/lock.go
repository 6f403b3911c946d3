package admission

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// lockPoll is how often a database that another process holds is looked at.
const lockPoll = 200 * time.Millisecond

// inspect reads the data. While another process holds it, a patient start waits:
// etcd would wait too, but with its ports open and without a word.
func (c *Checker) inspect(ctx context.Context) (datadir.Data, error) {
	for said := false; ; {
		data, err := datadir.Inspect(c.DataDir, c.WALDir)
		if err != nil || !data.DB.Locked || !c.Guard.Patient {
			return data, err
		}
		if !said {
			c.waitFor(status.Condition{ID: failure.IDLocked, Text: "waiting for the lock of " + holderOf(data)})
			said = true
		}
		select {
		case <-ctx.Done():
			return data, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// holderOf names the database that is locked, and the process that holds it, as
// far as this one may see it.
func holderOf(data datadir.Data) string {
	if pid, command, ok := datadir.Holder(data.DB.Path); ok {
		return held(data.DB.Path, pid, command)
	}
	return data.DB.Path + ", which another process holds"
}

// held says who holds a database. Another etcd's is no disk of this member's.
func held(path string, pid int, command string) string {
	text := fmt.Sprintf("%s, which process %d (%s) holds", path, pid, command)
	if strings.Contains(command, "etcd") {
		text += "; a second member on this machine needs a data dir of its own: use the unit etcd@NAME, or set ETCD_DATA_DIR"
	}
	return text
}
