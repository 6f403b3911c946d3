package loopback

import (
	"net"
	"os"
	"testing"
)

// A connection is a line until something goes over it.
func TestLine(t *testing.T) {
	l, err := net.Listen("tcp", Address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	url := "http://" + l.Addr().String()
	if Line(os.Getpid(), url) == nil {
		t.Error("a line before there is a connection")
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := Line(os.Getpid(), url); err != nil {
		t.Error(err)
	}
	if Line(os.Getppid(), url) == nil {
		t.Error("a line of another process")
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if Line(os.Getpid(), url) == nil {
		t.Error("a line over which something went")
	}
}
