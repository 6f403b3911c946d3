package admission

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// askAgain is the pause between two rounds of questions while a disk is waited
// for: `member add` may make this node a replacement meanwhile.
const askAgain = 5 * time.Second

// waits reports whether data that is missing is waited for: a member has lived
// here, so it most likely is on a disk that is not mounted yet, and somebody
// sees why the start takes long.
func (c *Checker) waits() bool { return c.Guard.Patient && c.Guard.Unreadable == "" && c.lived() }

// beginOrMount is begin, and where missing data is waited for it goes on until
// the data is there (mounted: look at it from the beginning), or until this node
// may begin as a replacement. What the other members say cannot end the wait:
// whether the disk is lost or late, they know this member.
func (c *Checker) beginOrMount(ctx context.Context) (begun Admission, mounted bool, f *failure.Failure) {
	if !c.waits() {
		begun, f = c.begin(ctx)
		return begun, false, f
	}
	disk := c.disk("the data dir "+c.DataDir, failure.CaseEmpty)
	mounted = disk.mounted(ctx, func(ctx context.Context) {
		asking := *c
		asking.Waiting = func(x status.Condition) {
			c.Waiting(c.here(disk.condition(x.Text + "; " + disk.text)))
		}
		for again := false; ; again = true {
			if begun, f = asking.begin(ctx); begun.Joins && again {
				c.Log.Info("the cluster lists this node as a new member now: it joins")
			}
			if f == nil || f.ID != failure.IDWiped {
				return
			}
			if !again {
				disk.say()
			}
			// From now on the same is asked and answered, again and again.
			asking.Log, asking.Waiting = zap.NewNop(), func(status.Condition) {}
			select {
			case <-ctx.Done():
				return
			case <-time.After(askAgain):
			}
		}
	})
	switch {
	case mounted:
		return Admission{}, true, nil
	case ctx.Err() != nil:
		return Admission{}, false, failure.New(failure.IDSignalled, "")
	}
	return begun, false, f
}

// walMounted waits for a WAL that has a directory of its own and is not there,
// while the database is. It is false where nobody waits for that.
func (c *Checker) walMounted(ctx context.Context, data datadir.Data) bool {
	if !c.waits() || c.WALDir == "" || data.WAL.Exists() {
		return false
	}
	return c.disk("the WAL dir "+c.WALDir, failure.CasePart).mounted(ctx, func(ctx context.Context) { <-ctx.Done() })
}

// usableAgain waits where the data dir is empty and this user may not use it, as a
// mount point without its disk belongs to root: until the disk is mounted, or the
// directory is given to this user, who then finds it empty. It is false where ctx
// ends first.
func (c *Checker) usableAgain(ctx context.Context, why string) bool {
	disk := c.disk("the data dir "+c.DataDir, failure.CaseEmpty)
	disk.text += "; as it is, it cannot be used: " + why
	given := false
	mounted := disk.mounted(ctx, func(ctx context.Context) {
		for !given {
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookAgain):
				given = accessible(c.DataDir, c.WALDir) == nil
			}
		}
	})
	return mounted || given && ctx.Err() == nil
}

// disk is one that is waited for.
type disk struct {
	*Checker
	what, text string
	kind       string // case of the entry
}

func (c *Checker) disk(dir, kind string) disk {
	what := fmt.Sprintf("%s is empty where a member used to be (%s)", dir, c.pinned())
	return disk{c, what, "waiting for its disk to be mounted: " + what +
		"; if it is mounted already: systemctl restart etcd; if it is lost: etcd-node explain " + failure.IDWiped, kind}
}

// say says what is waited for.
func (d disk) say() { d.waitFor(d.condition(d.text)) }

// condition is the wait with a text.
func (d disk) condition(text string) status.Condition {
	return status.Condition{ID: failure.IDWiped, Text: text, Case: d.kind}
}

// notice says what is there that no mount has brought: somebody has put it there,
// and it is perhaps not whole yet; or that what was mounted is empty.
func (d disk) notice(see sight) {
	switch see {
	case byHand:
		d.waitFor(d.condition("data is there now, but no mount has brought it; once it is whole: systemctl restart etcd (at the start " + d.what + ")"))
	case blank:
		d.waitFor(d.condition("what is mounted there now holds no data; " + d.text))
	default:
		d.say()
	}
}

// mounted waits until data has been mounted where it belongs, and says so. It
// ends without it when other does, which runs meanwhile, and with ctx.
func (d disk) mounted(ctx context.Context, other func(context.Context)) bool {
	data := newArrival(d.DataDir, d.WALDir, d.notice) // what comes from now on
	d.say()
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	come := make(chan bool, 1)
	go func() {
		come <- data.wait(waiting)
		stop() // other, too
	}()
	other(waiting)
	stop()
	yes := <-come && ctx.Err() == nil
	if yes {
		d.Log.Info("its disk is mounted", zap.String("dir", d.DataDir))
	}
	return yes
}
