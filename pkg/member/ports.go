package member

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

// peerPortsFree says why etcd could not listen for its peers; nil where it can,
// or would fail for another reason. It has to be known before anybody is asked
// about this node: whoever has its port answers the cluster in its place, so that
// what the cluster says of this address is about that one.
func (m *member) peerPortsFree() *failure.Failure {
	for _, u := range m.Config.ListenPeerUrls {
		if u.Scheme != "http" && u.Scheme != "https" { // a unix socket's name is no host to look up
			continue
		}
		l, err := transport.NewListenerWithOpts(u.Host, "http", transport.WithSocketOpts(&m.Config.SocketOpts))
		if err == nil {
			l.Close()
			continue
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			continue // etcd says it better
		}
		by := "another process"
		if who, ok := listener("/proc", u.Port()); ok {
			by = who
		}
		f := failure.FromError(err)
		f.Detail = fmt.Sprintf("%s is in use by %s", u.Host, by)
		return f
	}
	return nil
}

// listener names the process that listens on a TCP port, as far as this one may
// see it, and the unit that it belongs to.
func listener(proc, port string) (who string, ok bool) {
	sockets := listeningSockets(proc, port)
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*")) // only a bad pattern is an error
	for _, l := range links {
		if to, err := os.Readlink(l); err != nil || !sockets[to] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(l))
		name := ""
		if groups, err := os.ReadFile(filepath.Join(dir, "cgroup")); err == nil {
			// systemd's line ends in the unit: 0::/system.slice/etcd.service
			for line := range strings.Lines(string(groups)) {
				if unit, is := strings.CutSuffix(filepath.Base(strings.TrimSpace(line)), ".service"); is && !strings.Contains(line, "/user@") {
					name = unit
				}
			}
		}
		if name == "" {
			comm, _ := os.ReadFile(filepath.Join(dir, "comm")) // it may have ended
			name = strings.TrimSpace(string(comm))
		}
		return fmt.Sprintf("process %s (%s)", filepath.Base(dir), name), true
	}
	return "", false
}

// listeningSockets are the sockets that listen on a TCP port, as the links of
// /proc/PID/fd name them.
func listeningSockets(proc, port string) map[string]bool {
	var number uint16
	if _, err := fmt.Sscan(port, &number); err != nil {
		return nil
	}
	suffix := fmt.Sprintf(":%04X", number)
	sockets := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(filepath.Join(proc, "net", table)) // without IPv6 there is no second
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st … inode; 0A is LISTEN
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], suffix) {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}
	return sockets
}
