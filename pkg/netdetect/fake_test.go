package netdetect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// machine describes a fake Host in a few words.
type machine struct {
	// One row per address: "eth0 192.168.122.5/24 secondary"; "eth1 -" is an
	// interface without one. Flags are those of Address, in small letters.
	rows     []string
	hostname string            // "" is "host"
	route    string            // the interface of the default route
	dns      map[string]string // name → addresses; a name that is absent does not exist
	source   map[string]string // peer → source address; absent: no route
}

// row is one interface that is up, with one usable address.
const (
	lo   = "lo 127.0.0.1/8 loopback"
	eth0 = "eth0 192.168.122.5/24"
	vip  = "eth0 192.168.122.100/32"
)

func (m machine) host(t *testing.T) *Host {
	return &Host{
		Addresses:        func() ([]Address, error) { return parseRows(t, m.rows), nil },
		DefaultInterface: func() (string, error) { return m.route, nil },
		Source: func(dst netip.Addr) (netip.Addr, error) {
			if src, ok := m.source[dst.String()]; ok {
				return netip.MustParseAddr(src), nil
			}
			return netip.Addr{}, errors.New("network is unreachable")
		},
		Lookup: func(_ context.Context, name string) ([]netip.Addr, error) {
			answers, ok := m.dns[name]
			if !ok {
				return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			if answers == "timeout" {
				return nil, &net.DNSError{Err: "i/o timeout", Name: name, IsTimeout: true}
			}
			var out []netip.Addr
			for _, a := range strings.Fields(answers) {
				out = append(out, netip.MustParseAddr(a))
			}
			return out, nil
		},
		Hostname: func() (string, error) {
			if m.hostname == "" {
				return "host", nil
			}
			return m.hostname, nil
		},
		Changes: func(context.Context) (<-chan struct{}, error) { panic("a look does not wait") },
	}
}

func parseRows(t *testing.T, rows []string) []Address {
	t.Helper()
	var out []Address
	for _, row := range rows {
		f := strings.Fields(row)
		a := Address{Interface: f[0], Up: true}
		if f[1] != "-" {
			addr, bits, _ := strings.Cut(f[1], "/")
			a.Addr = netip.MustParseAddr(addr)
			a.Bits, _ = strconv.Atoi(bits)
		}
		for _, flag := range f[2:] {
			switch flag {
			case "loopback":
				a.Loopback = true
			case "down":
				a.Up = false
			case "port":
				a.Port = true
			case "tentative":
				a.Tentative = true
			case "deprecated":
				a.Deprecated = true
			case "secondary":
				a.Secondary = true
			default:
				t.Fatalf("row %q: unknown flag %q", row, flag)
			}
		}
		out = append(out, a)
	}
	return out
}

// members parses "etcd-1=192.168.122.5 etcd-2=a,b".
func members(s string) []Member {
	var out []Member
	for _, entry := range strings.Fields(s) {
		name, hosts, _ := strings.Cut(entry, "=")
		out = append(out, Member{Name: name, Hosts: strings.Split(hosts, ",")})
	}
	return out
}

const three = "etcd-1=192.168.122.5 etcd-2=192.168.122.6 etcd-3=192.168.122.7"

// answer prints what a look returned, all of it.
func answer(r Result, err error) string {
	var pending *Pending
	var refusal *Refusal
	switch {
	case errors.As(err, &pending):
		return "pending: " + err.Error()
	case errors.As(err, &refusal):
		return "refused: " + err.Error()
	case err != nil:
		return "error: " + err.Error()
	}
	s := fmt.Sprintf("%s, %s at %s, %s", r.Name, r.NameOrigin, r.Addr, r.AddrOrigin)
	if r.Member != nil {
		s += ", entry " + r.Member.Name
	}
	for _, w := range r.Warnings {
		s += "\nwarning: " + w
	}
	return s
}

// look is one row of a table test.
type lookRow struct {
	name    string
	machine machine
	req     Request
	want    string
}

func runLooks(t *testing.T, rows []lookRow) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := answer(Find(t.Context(), row.machine.host(t), row.req)); got != row.want {
				t.Errorf("\n got %s\nwant %s", got, row.want)
			}
		})
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
