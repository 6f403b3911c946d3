package loopback

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Line looks for the connection by which a follower knows that its leader
// lives: an established one of process pid to the peer URL (of scheme http),
// over which nothing ever went. It is an error that there is none.
func Line(pid int, peer string) error {
	u, err := url.Parse(peer)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return err
	}
	own := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return err
	}
	for _, fd := range fds {
		target, _ := os.Readlink(fd) // it may be closed by now
		own[target] = true
	}
	conns, err := netlink.SocketDiagTCPInfo(unix.AF_INET)
	if err != nil {
		return fmt.Errorf("ask for connections: %w", err)
	}
	for _, c := range conns {
		s, info := c.InetDiagMsg, c.TCPInfo
		if info != nil && s.State == netlink.TCP_ESTABLISHED && s.ID.DestinationPort == uint16(port) &&
			own[fmt.Sprintf("socket:[%d]", s.INode)] && info.Data_segs_in == 0 && info.Data_segs_out == 0 {
			return nil
		}
	}
	return fmt.Errorf("process %d has no idle connection to %s", pid, peer)
}
