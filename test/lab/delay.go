package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// frames is how many may be under way on one side of a slow cable.
const frames = 1 << 14

// header is what the kernel says of a frame that its hardware is to complete,
// and frame the longest of those: nothing is, so it is passed on as it came.
const (
	header = 10
	frame  = 1<<16 + 64
)

// Delay makes the host's cable slow: each frame, in both directions, comes so much
// later. The returned func replaces the cable by one that is not. It is a
// forwarder in this process, for kernels without netem: it acknowledges nothing,
// so TCP sees the delay, and loses what does not fit in its queue.
func (h *Host) Delay(ctx context.Context, d time.Duration) (restore func() error, err error) {
	i := h.Name[strings.LastIndexByte(h.Name, '-')+1:]
	net := func(script string) error {
		_, err := h.lab.run(ctx, nil, "net", "sh", "-ec", strings.ReplaceAll(script, "N", i))
		return err
	}
	// The kernel itself must not answer on the host's port, which has no bridge now.
	if err := net(`ip link add dN type veth peer name eN; ip link set eN arp off; ip link set dN master br0; ip link set dN up; ip link set eN up
		ip link set pN nomaster; ip link set pN arp off`); err != nil {
		return nil, err
	}
	undo := func() error {
		return net(`ip link set pN arp on; ip link set pN master br0; ip link del dN`)
	}
	var ends [2]int
	err = inside(h.lab.name+"-switch", func() (err error) {
		for n, port := range []string{"p", "e"} {
			if ends[n], err = tap(port + i); err != nil {
				return errors.Join(err, unix.Close(ends[0])) // nonsense is refused
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, undo())
	}
	done := make(chan struct{})
	var forwarders sync.WaitGroup
	for n := range ends {
		forwarders.Go(func() { forward(ends[n], ends[1-n], d, done) })
	}
	return func() error {
		close(done)
		forwarders.Wait()
		return errors.Join(unix.Close(ends[0]), unix.Close(ends[1]), undo())
	}, nil
}

// tap is a socket for all frames that come in at an interface, and for sending
// some there. It waits a moment at most.
func tap(name string) (fd int, err error) {
	dev, err := net.InterfaceByName(name)
	if err != nil {
		return -1, err
	}
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
	if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(dev.Index), Type: unix.PACKET_MR_PROMISC}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: dev.Index}),
	)
	if err != nil {
		return -1, errors.Join(fmt.Errorf("listen on %s: %w", name, err), unix.Close(fd))
	}
	return fd, nil
}

// forward passes on what comes, so much later.
func forward(from, to int, d time.Duration, done <-chan struct{}) {
	type late struct {
		due  time.Time
		data []byte
	}
	queue := make(chan late, frames)
	var sender sync.WaitGroup
	sender.Go(func() {
		for one := range queue {
			time.Sleep(time.Until(one.due))
			_, _ = unix.Write(to, one.data) // a cable says nothing
		}
	})
	buffer := make([]byte, header+frame)
	for {
		select {
		case <-done:
			close(queue)
			sender.Wait()
			return
		default:
		}
		n, err := unix.Read(from, buffer)
		if err != nil || n <= header {
			continue // nothing came
		}
		select {
		case queue <- late{time.Now().Add(d), append([]byte(nil), buffer[:n]...)}:
		default: // lost
		}
	}
}
