// Package listener tells which process listens on a TCP port of this machine, as far as
// this one may see it.
package listener

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is one that listens.
type Process struct {
	PID  int    // 0: this user may not see whose the socket is
	Name string // its unit's, without ".service", or else its own
}

func (p Process) String() string {
	if p.PID == 0 {
		return "a process of another user"
	}
	return fmt.Sprintf("process %d (%s)", p.PID, p.Name)
}

// On returns the process that listens on a port where that is in the way of who would
// listen on host: at the same address, or one of the two at all of them. A host that is
// no address is any. proc is "/proc".
func On(proc, host, port string) (p Process, ok bool) {
	sockets := sockets(proc, host, port)
	if len(sockets) == 0 {
		return Process{}, false
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*")) // only a bad pattern is an error
	for _, l := range links {
		if to, err := os.Readlink(l); err != nil || !sockets[to] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(l))
		p.PID, _ = strconv.Atoi(filepath.Base(dir))
		if p.Name = unitOf(dir); p.Name == "" {
			comm, _ := os.ReadFile(filepath.Join(dir, "comm")) // it may have ended
			p.Name = strings.TrimSpace(string(comm))
		}
		return p, true
	}
	return Process{}, true
}

// unitOf is the unit of a process: systemd's line in its cgroup file ends in it,
// 0::/system.slice/etcd.service.
func unitOf(dir string) (name string) {
	groups, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
	for line := range strings.Lines(string(groups)) {
		if unit, is := strings.CutSuffix(filepath.Base(strings.TrimSpace(line)), ".service"); is && !strings.Contains(line, "/user@") {
			name = unit
		}
	}
	return name
}

// sockets are those that listen on a port, as the links of /proc/PID/fd name them.
func sockets(proc, host, port string) map[string]bool {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil
	}
	wanted, _ := netip.ParseAddr(host)
	found := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(filepath.Join(proc, "net", table)) // without IPv6 there is no second
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st … inode; 0A is LISTEN
			f := strings.Fields(line)
			if len(f) <= 9 || f[3] != "0A" {
				continue
			}
			at, in, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(in, 16, 16); err != nil || n != number {
				continue
			}
			if addr := address(at); !wanted.IsValid() || wanted.IsUnspecified() || !addr.IsValid() || addr.IsUnspecified() || addr == wanted {
				found["socket:["+f[9]+"]"] = true
			}
		}
	}
	return found
}

// address is that of a socket: words of 32 bits, each in the order of this machine, of
// which all that etcd runs on have the lowest byte first.
func address(text string) netip.Addr {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return netip.Addr{}
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return addr.Unmap()
}
