package supervisor

import (
	"net"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// notifyLimit bounds one message to systemd, for the loop waits for it. A
	// message that is not taken is sent again with the next event.
	notifyLimit = 100 * time.Millisecond
	// messageLimit is systemd's NOTIFY_BUFFER_MAX in bytes. It drops a longer
	// message whole, READY=1 included.
	messageLimit = 4096
	// statusText is the only assignment that holds free text.
	statusText = "STATUS="
)

// Notifier returns the func that sends a message of sd_notify(3) to the socket
// that NOTIFY_SOCKET names, a path or an abstract name that begins with "@". It
// returns nil where socket is empty, because no service manager listens then.
//
// A message consists of assignments, such as READY=1. Each of them stays one
// line, whatever its text holds, and the text of STATUS= is cut to what systemd
// takes. The func waits for 100 ms at most and is safe for concurrent use.
func Notifier(socket string) func(assignments ...string) error {
	if socket == "" {
		return nil
	}
	// go-systemd's SdNotify waits without limit while systemd does not read,
	// as when it reloads itself, and the loop would wait with it.
	addr := &net.UnixAddr{Name: socket, Net: "unixgram"}
	return func(assignments ...string) error {
		c, err := net.DialUnix(addr.Net, nil, addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetWriteDeadline(time.Now().Add(notifyLimit)); err != nil {
			return err
		}
		_, err = c.Write([]byte(message(assignments)))
		return err
	}
}

// message joins assignments into one datagram that systemd takes. STATUS= gets
// the room that the others leave: only a text may be cut.
func message(assignments []string) string {
	lines := slices.Clone(assignments)
	room := messageLimit - len(lines) // for the line breaks
	for _, line := range lines {
		if !strings.HasPrefix(line, statusText) {
			room -= len(line)
		}
	}
	for i, line := range lines {
		if strings.HasPrefix(line, statusText) {
			lines[i] = status.OneLine(line, room)
		}
	}
	return strings.Join(lines, "\n")
}
