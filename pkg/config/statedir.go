package config

import (
	"cmp"
	"fmt"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// loadStateDir takes the unit's state directory for the data dir where none is
// set. A unit written for etcd may have had etcd's own default inside of it,
// NAME.etcd in the working directory. Data that is there is used: the member
// must not begin anew beside it.
func (l *Loaded) loadStateDir(list string) {
	l.stateDir = filepath.SplitList(list)[0]
	if l.get("data-dir") != "" {
		return
	}
	inner := filepath.Join(l.stateDir, cmp.Or(l.get("name"), embed.DefaultName)+".etcd")
	switch {
	case !l.holdsMember(inner):
	case l.holdsMember(l.stateDir):
		l.problem("STATE_DIRECTORY", fmt.Sprintf("a member's data is in %s and in %s", l.stateDir, inner), "set ETCD_DATA_DIR to the one that counts")
	default:
		l.stateDir = inner
		l.notice("the data dir is %s, because etcd's data is there already", inner)
	}
}

func (l *Loaded) holdsMember(dir string) bool {
	names, _ := l.in.ReadDir(filepath.Join(dir, "member"))
	return len(names) > 0
}
