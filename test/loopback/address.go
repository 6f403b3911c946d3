package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports come from below the range in which the kernel picks ports for outgoing
// connections (from 32768 on): those take the port of a member that is down.
const (
	firstPort = 30000
	blocks    = 54
	size      = 50 // ports of a block
)

var given struct {
	sync.Mutex
	// owned are the listeners on the first port of each block. They keep other
	// processes out of the block until this one ends.
	owned []net.Listener
	ports []int // of these blocks
	next  int   // in ports
}

// Address is one of 127.0.0.1 on which nothing listens. No other call returns
// it, in this process or in another that runs at the same time, unless all are
// given away: then those that were given first come again.
func Address() string {
	given.Lock()
	defer given.Unlock()
	for {
		if given.next == len(given.ports) && !claim() {
			given.next = 0
		}
		addr := host(given.ports[given.next])
		given.next++
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
}

// claim makes a block of ports this process's own, if there is one.
func claim() bool {
	some := rand.IntN(blocks)
	for i := range blocks {
		first := firstPort + (some+i)%blocks*size
		if l, err := net.Listen("tcp", host(first)); err == nil {
			given.owned = append(given.owned, l)
			for port := first + 1; port < first+size; port++ {
				given.ports = append(given.ports, port)
			}
			return true
		}
	}
	if given.ports == nil {
		panic("loopback: other processes hold every block of ports")
	}
	return false
}

func host(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
