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
	firstPort  = 12000
	blocks     = 200
	blockPorts = 100
)

var given struct {
	sync.Mutex
	// owned are the listeners on the first port of each block. They keep other
	// processes out of the block until this one ends.
	owned []net.Listener
	next  int // port
	left  int // in the block
}

// Address is one of 127.0.0.1 on which nothing listens. No other call returns
// it, in this process or in another that runs at the same time. It panics if
// the machine has no such port left.
func Address() string {
	given.Lock()
	defer given.Unlock()
	for {
		if given.left == 0 {
			claim()
		}
		given.next++
		given.left--
		addr := host(given.next)
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
}

// claim makes a block of ports this process's own.
func claim() {
	some := rand.IntN(blocks)
	for i := range blocks {
		port := firstPort + (some+i)%blocks*blockPorts
		if l, err := net.Listen("tcp", host(port)); err == nil {
			given.owned = append(given.owned, l)
			given.next, given.left = port, blockPorts-1
			return
		}
	}
	panic("loopback: every block of ports is taken")
}

func host(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
