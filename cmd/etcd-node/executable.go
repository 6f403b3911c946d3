package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

const (
	// selfExe is this process's binary, whatever has become of its file.
	selfExe = "/proc/self/exe"
	// firstFD is above those that a member inherits, and those that Go puts right above
	// them, so that they cannot take the place of the binary's between fork and exec.
	firstFD = 256
	// versionLimit is how long a binary may take to tell its version: 20 ms as a rule.
	versionLimit = 10 * time.Second
)

// executable is a binary that members are started from. It stays the same one when
// its file is replaced: a member that was killed comes back as it was, and only a
// reload or restart takes up what was installed since.
type executable struct {
	path    string // which is run
	file    string // where it came from, and where the next one would be
	id      fileID
	version string
}

// fileID tells one file from another one that has taken its place.
type fileID struct {
	dev, ino uint64
	size     int64
	changed  time.Time
}

// ownExecutable is this process's. called is how it was called.
func ownExecutable(called string) executable {
	e := executable{path: selfExe, file: called, version: ownVersion()}
	if !filepath.IsAbs(called) {
		e.file, _ = os.Executable() // "" if it cannot be told: then none takes its place
	}
	e.id, _ = idOf(selfExe)
	return e
}

func idOf(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileID{}, err
	}
	return fileID{st.Dev, st.Ino, st.Size, time.Unix(st.Mtim.Unix())}, nil
}

// replaced is the binary that has taken the place of this one, or this one. The error
// says why the new one cannot run members. known is one that was found before, which may
// be the same again: it stays open.
func (e executable) replaced(ctx context.Context, known executable) (executable, error) {
	id, err := idOf(e.file)
	switch {
	case e.file == "" || err == nil && id == e.id:
		return e, nil
	case err == nil && id == known.id:
		return known, nil
	}
	refuse := func(err error) (executable, error) {
		return e, fmt.Errorf("%s has been replaced, and cannot run the member: %w (install it again; or systemctl restart, which begins with it anew)", shown.Text(e.file), err)
	}
	if err != nil {
		return refuse(err)
	}
	fd, err := unix.Open(e.file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return refuse(err)
	}
	defer unix.Close(fd)
	// It stays open for as long as this process lives, as members may run from it.
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstFD)
	if err != nil {
		return refuse(err)
	}
	next := executable{path: fmt.Sprintf("/proc/self/fd/%d", high), file: e.file, id: id}
	v, err := askVersion(ctx, next.path)
	if err == nil && v.Pipe != pipe.Version {
		err = fmt.Errorf("version %s speaks to its supervisor in another way", v.EtcdNode)
	}
	if err != nil {
		unix.Close(high)
		return refuse(err)
	}
	next.version = v.EtcdNode
	return next, nil
}

// askVersion asks a binary for its versions.
func askVersion(ctx context.Context, path string) (v versions, err error) {
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version", "--output=json")
	cmd.Args[0], cmd.Env = "etcd-node", []string{}
	out, err := cmd.Output()
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(out)).Decode(&v)
	}
	if err != nil {
		return v, fmt.Errorf("it does not tell its version: %w", err)
	}
	return v, nil
}
