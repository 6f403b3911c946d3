package admission

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/member/datadir"
)

// livesElsewhere reports whether the pinned member's data lies in the data dir
// that the pin names, and not in this one: another unit of this machine shares
// its directories with this one, or the data was left behind. The data of one
// that was moved here is the pinned member's.
func (n Node) livesElsewhere(data datadir.Data) bool {
	if !n.pinOfOtherDir() || n.pinsSame(data) {
		return false
	}
	there, _ := datadir.Inspect(n.Guard.Pin.DataDir, "") // whatever else may be wrong there
	return n.pinsSame(there)
}

// pinOfOtherDir reports whether the pin names a data dir that has nothing to do
// with this one. One inside of the other is the same unit's: etcd's own default
// is a directory in the unit's.
func (n Node) pinOfOtherDir() bool {
	if n.Guard.Pin == nil {
		return false
	}
	here, there := filepath.Clean(n.DataDir), filepath.Clean(n.Guard.Pin.DataDir)
	if !filepath.IsAbs(here) || !filepath.IsAbs(there) || within(here, there) || within(there, here) {
		return false
	}
	a, err1 := os.Stat(here)
	b, err2 := os.Stat(there)
	return err1 != nil || err2 != nil || !os.SameFile(a, b) // a link from one to the other
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// empty refuses to begin on an empty data dir where a member is pinned.
func (n Node) empty(detail string) *failure.Failure {
	if n.pinOfOtherDir() {
		return n.pinElsewhere()
	}
	return failure.New(failure.IDWiped, detail)
}

// pinElsewhere refuses to begin or stay under another data dir's pin.
func (n Node) pinElsewhere() *failure.Failure {
	f := failure.New(failure.IDPinElsewhere, fmt.Sprintf("%s; the data dir here is %s", n.pinned(), n.DataDir))
	f.Cause = fmt.Sprintf("this pin is of %s: give this unit its own StateDirectory, RuntimeDirectory and LogsDirectory", n.Guard.Pin.DataDir)
	return f
}
