package daemon

import (
	"net"
	"os"
)

// Systemd plays systemd: it has the socket on which a daemon reports
// (NOTIFY_SOCKET).
type Systemd struct {
	conn *net.UnixConn
	done chan struct{}
}

// end is what Close tells the socket. No daemon says so.
const end = "\x00"

// Listen makes the socket, which any user may write to, in place of what is
// there. Whatever a daemon tells it is passed to heard, by one goroutine.
func Listen(path string, heard func(text string)) (*Systemd, error) {
	_ = os.Remove(path) // the socket of an earlier run
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		c.Close()
		return nil, err
	}
	s := &Systemd{conn: c, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil || string(buf[:n]) == end {
				return
			}
			heard(string(buf[:n]))
		}
	}()
	return s, nil
}

// Close returns when all that the socket was told before has been heard.
func (s *Systemd) Close() {
	if c, err := net.DialUnix("unixgram", nil, s.conn.LocalAddr().(*net.UnixAddr)); err == nil {
		_, _ = c.Write([]byte(end)) // it queues behind what was told
		c.Close()
		<-s.done
	}
	s.conn.Close()
	<-s.done
}
