package check

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	humanize "github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/listener"
	"github.com/etcd-node/etcd-node/pkg/member/disk"
	"github.com/etcd-node/etcd-node/pkg/shown"
)

// ports: each is free, or the member's own.
func (n *node) ports(context.Context) (all []Result) {
	var mine, free []string
	for _, u := range slices.Concat(n.config.ListenPeerUrls, n.config.ListenClientUrls, n.config.ListenMetricsUrls, n.config.ListenClientHttpUrls) {
		if u.Scheme != "http" && u.Scheme != "https" || slices.Contains(mine, u.Host) || slices.Contains(free, u.Host) {
			continue
		}
		who, taken := listener.On("/proc", u.Hostname(), u.Port())
		switch {
		case !taken:
			free = append(free, u.Host)
		case n.Running != nil && (who.PID == n.Running.MemberPID || who.PID == 0):
			mine = append(mine, u.Host)
		default:
			all = append(all, n.taken(u.Host, u.Port(), who))
		}
	}
	switch {
	case len(all) > 0:
	case len(mine) > 0 && len(free) > 0 && n.Running.MemberPID != 0 && n.Running.View.Ready:
		all = append(all, Result{"ports", Warning, fmt.Sprintf("the member does not listen at %s yet, as the settings of now would have it", strings.Join(free, ", ")), "etcd-node reload"})
	case len(mine) > 0:
		all = append(all, ok("ports", "the member listens at %s", strings.Join(mine, ", ")))
	default:
		all = append(all, ok("ports", "%s free", strings.Join(free, ", ")))
	}
	return all
}

// taken is a port that another process has, or this node's member where who asks may
// see neither the daemon nor whose the port is: that one must not be told to stop it.
func (n *node) taken(at, port string, who listener.Process) Result {
	if n.Hidden && who.PID == 0 {
		return Result{"ports", Warning, fmt.Sprintf("%s is in use by %s: by this node's own member, or not", at, who), "run this as root"}
	}
	return Result{"ports", Problem, fmt.Sprintf("%s is in use by %s", at, who), "stop it, or give this member another port (ss -ltnp 'sport = :" + port + "')"}
}

// space: the file system of the data has room for the database up to its quota, and
// that of the WAL, where it has one of its own, for the WAL.
func (n *node) space(context.Context) []Result {
	dir := existing(n.config.Dir)
	quota := n.config.QuotaBackendBytes
	if quota == 0 {
		quota = 2 << 30 // etcd's default
	}
	if n.Running != nil {
		quota -= n.Running.View.Database.Size
	}
	found := []Result{room(dir, max(0, quota))}
	if n.config.WalDir != "" {
		if wal := existing(n.config.WalDir); mountOf(wal) != mountOf(dir) {
			found = append(found, room(wal, 0))
		}
	}
	return found
}

// room is what the file system of a directory has left, on which so much may be used
// yet.
func room(dir string, use int64) Result {
	s, err := disk.SpaceOf(dir)
	if err != nil {
		return Result{"space", Warning, err.Error(), "run this as root"}
	}
	const least = 512 << 20 // some WAL files of 64 MiB, a snapshot, and the database's own copy while it is defragmented
	text := fmt.Sprintf("%s free of %s at %s", humanize.IBytes(uint64(s.Available)), humanize.IBytes(uint64(s.Total)), dir)
	switch {
	case s.Available < least:
		return Result{"space", Problem, text + ": etcd ends when it is used up", "make room: du -x -d 2 " + shown.Quoted(mountOf(dir)) + " | sort -n | tail"}
	case s.Inodes > 0 && s.FreeInodes < 1000:
		return Result{"space", Problem, fmt.Sprintf("%s has %d inodes left", dir, s.FreeInodes), "remove files that nobody needs there"}
	case s.Available < use:
		return Result{"space", Warning, text + fmt.Sprintf(", less than the database may grow by (%s)", humanize.IBytes(uint64(use))), "a larger disk, or a smaller ETCD_QUOTA_BACKEND_BYTES"}
	}
	return ok("space", "%s", text)
}

// existing is a directory, or the nearest one above it that is there.
func existing(dir string) string {
	for dir, _ = filepath.Abs(dir); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return dir
}

// mountOf is the mount point that a directory is on.
func mountOf(dir string) string {
	dev := func(path string) uint64 {
		var st unix.Stat_t
		_ = unix.Stat(path, &st)
		return st.Dev
	}
	for at := dev(dir); dir != "/" && dev(filepath.Dir(dir)) == at; {
		dir = filepath.Dir(dir)
	}
	return dir
}

const (
	// syncs of a few kilobytes, as etcd's WAL does for a write of one key, for no longer
	// than syncLimit: enough for a 99th percentile, and little for a member beside it.
	syncs     = 100
	syncSize  = 2300
	syncLimit = 2 * time.Second
	// wantedFsync is what etcd's guide to its hardware wants of the 99th percentile, and
	// badFsync what costs leaders at the default election timeout.
	wantedFsync = 10 * time.Millisecond
	badFsync    = 100 * time.Millisecond
)

// disk: how long it takes to bring a little to the disk of the WAL.
func (n *node) disk(ctx context.Context) []Result {
	dir := n.config.WalDir
	if dir == "" {
		dir = n.config.Dir
	}
	dir = existing(dir)
	took, err := n.syncs(ctx, dir)
	switch {
	case errors.Is(err, unix.EROFS):
		return []Result{{"disk", Problem, dir + " is read-only here", "mount it writable: findmnt -T " + shown.Quoted(dir) + "; dmesg | tail"}}
	case errors.Is(err, os.ErrPermission):
		return []Result{{"disk", Warning, "this user may not write to " + dir + ": its disk was not measured", "run this as root"}}
	case errors.Is(err, unix.ENOSPC):
		return []Result{{"disk", Problem, dir + " is full", "make room: df -h " + shown.Quoted(dir)}}
	case err != nil:
		return []Result{{"disk", Warning, fmt.Sprintf("the disk of %s could not be measured: %v", dir, err), "dmesg | tail"}}
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], percentile99(took)
	n.mu.Lock()
	n.fsync = p99
	n.mu.Unlock()
	text := fmt.Sprintf("an fsync at %s takes %s, 1 of 100 %s", dir, short(p50), short(p99))
	const next = "give etcd a disk of its own, an SSD; see who writes: iostat -x 1"
	switch {
	case p99 > badFsync:
		return []Result{{"disk", Problem, text + ": etcd loses leaders at that", next}}
	case p99 > wantedFsync:
		return []Result{{"disk", Warning, text + ": etcd wants 10 ms", next}}
	}
	return []Result{ok("disk", "%s", text)}
}

// percentile99 is that of sorted times, by nearest rank. It leaves out the slowest of a
// hundred: one fsync that waited for somebody else's is no slow disk.
func percentile99(took []time.Duration) time.Duration { return took[(len(took)*99+99)/100-1] }

// fsyncs writes to a file without a name, which is gone whatever happens.
func fsyncs(ctx context.Context, dir string) (took []time.Duration, err error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		f, failed := os.CreateTemp(dir, ".etcd-node-check-*")
		if failed != nil {
			return nil, failed
		}
		defer f.Close()
		_ = os.Remove(f.Name())
		fd = int(f.Fd())
	} else if err != nil {
		return nil, err
	} else {
		defer unix.Close(fd)
	}
	block := make([]byte, syncSize)
	for begun := time.Now(); len(took) < syncs && time.Since(begun) < syncLimit && ctx.Err() == nil; {
		at := time.Now()
		if _, err := unix.Write(fd, block); err != nil {
			return nil, err
		}
		if err := unix.Fdatasync(fd); err != nil {
			return nil, err
		}
		took = append(took, time.Since(at))
	}
	if len(took) == 0 {
		return nil, errors.New("there was no time for it")
	}
	return took, nil
}

// short is a time for people.
func short(d time.Duration) string {
	switch {
	case d < 50*time.Microsecond:
		return "<0.1 ms"
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// wantedFiles is less than the unit has, and more than a few hundred clients with
// watches take.
const wantedFiles = 8192

// limits: how many files the member may open, which every connection is.
func (n *node) limits(context.Context) []Result {
	if n.Running == nil || n.Running.MemberPID == 0 {
		return nil // the unit decides
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/limits", n.Running.MemberPID))
	if err != nil {
		return []Result{{"limits", Warning, "this user may not see the member's limits", "run this as root"}}
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		rest, is := strings.CutPrefix(lines.Text(), "Max open files")
		if !is {
			continue
		}
		soft := strings.Fields(rest)[0]
		if files, err := strconv.Atoi(soft); err == nil && files < wantedFiles {
			return []Result{{"limits", Warning, fmt.Sprintf("the member may open %d files, and each client takes one or more", files),
				fmt.Sprintf("systemctl edit %s: [Service] LimitNOFILE=65536; systemctl restart %s", n.Service, n.Service)}}
		}
		return []Result{ok("limits", "the member may open %s files", soft)}
	}
	return nil
}

// clockIsKept asks the kernel whether something keeps the clock right.
func clockIsKept() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	const unsynchronized = 5 // TIME_ERROR
	return err != nil || state != unsynchronized
}

// clock: something keeps it right. Peers with another time are found in peers.
func (n *node) clock(context.Context) []Result {
	if !n.settled() {
		return []Result{{"clock", Warning, "nothing keeps this machine's clock right: certificates and leases need it", "timedatectl set-ntp true (or chrony); timedatectl"}}
	}
	return []Result{ok("clock", "it is kept right")}
}

// proxies are the variables by which programs go through a proxy. Members do not.
var proxies = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}

// proxy: etcdctl and `etcd-node ctl` would go through one.
func (n *node) proxy(context.Context) []Result {
	var set []string
	for _, name := range proxies {
		if slices.ContainsFunc(n.Environ, func(kv string) bool { return strings.HasPrefix(kv, name+"=") && kv != name+"=" }) {
			set = append(set, name)
		}
	}
	if len(set) == 0 || slices.ContainsFunc(n.Environ, func(kv string) bool {
		name, value, _ := strings.Cut(kv, "=")
		return strings.EqualFold(name, "no_proxy") && value != ""
	}) {
		return nil
	}
	var hosts []string
	for _, u := range n.config.AdvertiseClientUrls {
		hosts = append(hosts, u.Hostname())
	}
	return []Result{{"proxy", Warning, strings.Join(set, ", ") + " is set: etcdctl goes through that proxy (members do not)", "export no_proxy=localhost,127.0.0.1," + strings.Join(hosts, ",")}}
}

// hostOf is the host and port of a URL for people.
func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return text
}
