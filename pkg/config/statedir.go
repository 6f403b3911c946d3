package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// loadStateDir takes the unit's state directory for the data dir where none is
// set. A unit written for etcd may have had etcd's own default inside of it,
// NAME.etcd in the working directory. Data that is there is used: the member
// must not begin anew beside it.
func (l *Loaded) loadStateDir(list string) {
	var pinDir string
	l.stateDir, pinDir = unit.StateDirs(list)
	if l.get("data-dir") != "" {
		return
	}
	inner := filepath.Join(l.stateDir, cmp.Or(l.get("name"), embed.DefaultName)+".etcd")
	switch here := l.holdsMember(l.stateDir); {
	case here && l.holdsMember(inner):
		l.problem("STATE_DIRECTORY", fmt.Sprintf("a member's data is in %s and in %s", l.stateDir, inner), "set ETCD_DATA_DIR to the one that counts")
	case here:
	case l.holdsMember(inner):
		l.stateDir = inner
		l.notice("the data dir is %s, because etcd's data is there already", inner)
	default:
		l.lookBeside(pinDir)
	}
}

func (l *Loaded) holdsMember(dir string) bool {
	names, _ := l.in.ReadDir(filepath.Join(dir, "member"))
	return len(names) > 0
}

const (
	// besideDepth is how deep below the state directory a member's data is looked
	// for: Debian has it in default, others in data/NAME.etcd.
	besideDepth = 2
	// besideLimit is how many directories are looked into. A first start must not
	// take long because somebody keeps backups there.
	besideLimit = 500
)

// lookBeside refuses a first start while a member's data lies near the data dir:
// under another name of this member's, in the working directory, where etcd's own
// default has it, or where another unit, a package or a hand had it. Nothing tells whether it is this node's. An operator who has set
// ETCD_DATA_DIR has decided.
//
// The pin's directory is looked at because an earlier version took it for the data
// dir where systemd sorts it before the other one.
func (l *Loaded) lookBeside(pinDir string) {
	if l.holdsWAL(l.get("wal-dir")) {
		return // it has begun
	}
	budget := besideLimit
	found := l.membersIn(l.stateDir, besideDepth, &budget)
	if pinDir != "" && l.holdsData(pinDir) {
		found = append(found, pinDir)
	}
	host, _ := l.in.Hostname()
	for _, dir := range []string{filepath.Dir(l.stateDir), l.in.WorkingDir} { // of a unit that worked in the directory above, or elsewhere
		for _, name := range []string{cmp.Or(l.get("name"), embed.DefaultName), embed.DefaultName, short(host)} {
			beside := filepath.Join(dir, name+".etcd")
			if dir != "" && name != "" && l.holdsData(beside) && !slices.Contains(found, beside) {
				found = append(found, beside)
			}
		}
	}
	if len(found) == 0 {
		return
	}
	var sayable []string
	for _, dir := range found {
		sayable = append(sayable, shown.Quoted(dir))
	}
	what := fmt.Sprintf("there is no data in %s, but a member's data in %s", l.stateDir, strings.Join(sayable, " and in "))
	if l.in.Pinned == l.stateDir { // the pin guards the data dir, whose disk may still come
		l.notice("%s", what)
		return
	}
	p := settings.Problem{Where: "STATE_DIRECTORY",
		What: what,
		Hint: fmt.Sprintf("set ETCD_DATA_DIR=%s to go on with it, or ETCD_DATA_DIR=%s to begin without it", sayable[0], shown.Quoted(l.stateDir))}
	if len(sayable) > 1 {
		p.Hint = fmt.Sprintf("set ETCD_DATA_DIR to the one that counts, or ETCD_DATA_DIR=%s to begin without them", shown.Quoted(l.stateDir))
	}
	l.problems = append(l.problems, p)
}

// membersIn lists the directories below dir that hold a member's data.
func (l *Loaded) membersIn(dir string, depth int, budget *int) (found []string) {
	entries, _ := l.in.ReadDir(dir) // one that this user may not read holds none of its data
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "member" {
			continue
		}
		if *budget--; *budget < 0 {
			return found
		}
		inner := filepath.Join(dir, e.Name())
		switch {
		case l.holdsData(inner):
			found = append(found, inner)
		case depth > 1:
			found = append(found, l.membersIn(inner, depth-1, budget)...)
		}
	}
	return found
}

// holdsData reports whether a directory holds a raft log or a database.
func (l *Loaded) holdsData(dir string) bool {
	snap, _ := l.in.ReadDir(filepath.Join(dir, "member", "snap"))
	return len(snap) > 0 || l.holdsWAL(filepath.Join(dir, "member", "wal"))
}

func (l *Loaded) holdsWAL(dir string) bool {
	if dir == "" {
		return false
	}
	names, _ := l.in.ReadDir(dir)
	return slices.ContainsFunc(names, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) == ".wal" })
}
