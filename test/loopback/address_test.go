package loopback

import (
	"net"
	"testing"
)

// No address is given twice while there are others, and none on which somebody
// listens.
func TestAddress(t *testing.T) {
	seen := map[string]bool{}
	busy, err := net.Listen("tcp", Address())
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	seen[busy.Addr().String()] = true
	for range 3 * size { // more than one block
		addr := Address()
		if seen[addr] {
			t.Fatalf("%s twice", addr)
		}
		seen[addr] = true
	}
	given.next = 0
	if addr := Address(); addr == busy.Addr().String() {
		t.Errorf("%s, where somebody listens", addr)
	}
}
