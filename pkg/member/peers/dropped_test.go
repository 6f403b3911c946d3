package peers

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/etcd-node/etcd-node/test/pki"
)

// A listener of etcd's own closes connections that it does not want without a
// word. On loopback every address is this machine's, so a client can come from
// one that its certificate does not name.
func TestDropped(t *testing.T) {
	ca := pki.Issue(nil, pki.Authority)
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	info := func(name string, change func(*x509.Certificate)) transport.TLSInfo {
		c := pki.Issue(ca, change)
		return transport.TLSInfo{CertFile: write(name+".crt", c.Cert), KeyFile: write(name+".key", c.Key), TrustedCAFile: write("ca.crt", ca.Cert), ClientCertAuth: true}
	}
	server := info("server", nil)
	l, err := transport.NewListenerWithOpts("127.0.0.1:0", "https", transport.WithTLSInfo(&server))
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l)
	secure := l.Addr().String()
	shut := listen(t)
	go func() {
		for {
			c, err := shut.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1<<14)) // all of it: what is left over would be answered with a reset
			c.Close()
		}
	}()
	alerts := listen(t)
	go func() {
		for {
			c, err := alerts.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1<<14))            // all of it: what is left over would be answered with a reset
			_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 10}) // a fatal alert: unexpected message
			c.Close()
		}
	}()

	from := func(ip string) Dial {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext
	}
	client := func(info transport.TLSInfo, dial Dial) *Client {
		config, err := ClientTLS(info, false)
		if err != nil {
			t.Fatal(err)
		}
		return NewClient(config, dial)
	}
	own := info("own", func(c *x509.Certificate) { c.IPAddresses = []net.IP{{127, 0, 0, 7}} })
	named := info("named", func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"localhost"} })
	authority := pki.Issue(nil, pki.Authority) // as after a change of the CA that the peer has not read yet
	next := pki.Issue(authority, func(c *x509.Certificate) { c.IPAddresses = []net.IP{{127, 0, 0, 7}} })
	renewed := own
	renewed.CertFile, renewed.KeyFile = write("next.crt", next.Cert), write("next.key", next.Key)
	bare := info("bare", func(c *x509.Certificate) { c.IPAddresses = nil })
	for _, tc := range []struct {
		name string
		c    *Client
		url  string
		want string
	}{
		{"from its address", client(own, from("127.0.0.7")), "https://" + secure, ""},
		{"from another address", client(own, from("127.0.0.100")), "https://" + secure, "127.0.0.1: TLS: it sees 127.0.0.100, the certificate is for 127.0.0.7; "},
		{"from the address of its name", client(named, from("127.0.0.1")), "https://" + secure, ""},
		{"from another than that of its name", client(named, from("127.0.0.100")), "https://" + secure, "it sees 127.0.0.100, the certificate is for localhost"},
		{"a certificate without a host", client(bare, from("127.0.0.100")), "https://" + secure, ""},
		{"of a CA that it has not read", client(renewed, from("127.0.0.7")), "https://" + secure,
			"127.0.0.1: TLS: it refuses our certificate (unknown certificate authority): its ETCD_PEER_TRUSTED_CA_FILE lacks the CA of our ETCD_PEER_CERT_FILE, or has changed since its last restart"},
		{"plain at etcd's TLS port", client(own, nil), "http://" + secure, "127.0.0.1: speaks TLS, but its peer URL says http"},
		{"plain at a port that answers with an alert", client(own, nil), "http://" + alerts.Addr().String(), "127.0.0.1: speaks TLS, but its peer URL says http"},
		{"plain at a port that closes", client(own, nil), "http://" + shut.Addr().String(), "127.0.0.1: closes the connection without an answer"},
		{"TLS at a port that closes", client(own, nil), "https://" + shut.Addr().String(), "127.0.0.1: TLS: it closes the connection during the handshake"},
	} {
		f := tc.c.Probe(t.Context(), []string{tc.url})
		if f.OK != (tc.want == "") || !strings.Contains(f.Cause, tc.want) || f.Mute {
			t.Errorf("%s: %+v, want cause %q", tc.name, f, tc.want)
		}
	}
}

// closing is a connection that tells when it is closed here.
type closing struct {
	net.Conn
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return c.Conn.Close()
}

// A peer may be faster than the question: net/http has words of its own for that.
func TestClosedBeforeTheQuestion(t *testing.T) {
	closed := make(chan struct{})
	tell := sync.OnceFunc(func() { close(closed) }) // a second connection is for whether it speaks TLS
	dial := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		theirs.Close()
		return closing{ours, tell}, nil
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { <-closed }})
	f := NewClient(nil, dial).Probe(ctx, []string{"http://127.0.0.1:2380"})
	if f.OK || f.Cause != "127.0.0.1: closes the connection without an answer" {
		t.Errorf("%+v", f)
	}
}

// Which certificates etcd takes from a client with an address: what its own
// listener does, without the network.
func TestCovers(t *testing.T) {
	for name, tc := range map[string]struct {
		ips, names []string
		host       string
		want       bool
	}{
		"names nobody":                {nil, nil, "192.0.2.1", true},
		"its address":                 {[]string{"192.0.2.1"}, nil, "192.0.2.1", true},
		"IPv6":                        {[]string{"2001:db8::1"}, nil, "2001:db8::1", true},
		"another address":             {[]string{"192.0.2.2"}, nil, "192.0.2.1", false},
		"a name with another address": {nil, []string{"localhost"}, "192.0.2.1", false},
		"a name with its address":     {[]string{"192.0.2.2"}, []string{"localhost"}, "127.0.0.1", true},
		"DNS does not say":            {nil, []string{"etcd-1.invalid"}, "192.0.2.1", true},
		"a wildcard":                  {nil, []string{"*.example"}, "192.0.2.1", true},
	} {
		c := pki.Issue(nil, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, tc.names
			for _, ip := range tc.ips {
				c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
			}
		})
		pair := c.TLS().Certificates[0]
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := covers(context.Background(), leaf, tc.host); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A dead DNS does not hold the round.
func TestCoversIsBounded(t *testing.T) {
	real := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = real })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	leaf := &x509.Certificate{DNSNames: []string{"etcd-1.example", "etcd-2.example", "etcd-3.example"}}
	begun := time.Now()
	if !covers(t.Context(), leaf, "192.0.2.1") {
		t.Error("the certificate is blamed for the DNS")
	}
	if d := time.Since(begun); d > 3*answerTimeout {
		t.Errorf("it took %s", d)
	}
}

// serve answers on a listener as a member does.
func serve(t *testing.T, l net.Listener) {
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Etcd-Cluster-ID", "1") })}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}
