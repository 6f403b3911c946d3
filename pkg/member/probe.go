package member

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// probeTimeout is how long a peer may take to answer. A peer that is frozen or
// cut off stays "active" for raft for 20 s and more; this finds it in one.
const probeTimeout = time.Second

// finding is what one probe of a peer found.
type finding struct {
	ok        bool   // it answered as an etcd peer
	cause     string // why it did not: "192.168.122.6: connection refused"
	clusterID string // the cluster it belongs to, hexadecimal; "" unknown
}

// prober asks peers whether they are there, over the same port and with the
// same certificates as raft.
type prober struct {
	client *http.Client
}

func newProber(tlsConfig *tls.Config) *prober {
	return &prober{client: &http.Client{
		Timeout: probeTimeout,
		Transport: &http.Transport{
			TLSClientConfig: tlsConfig,
			// net/http goes on with a connection after the request for it has
			// been given up: with a frozen peer, whose kernel accepts, for ever.
			DialContext:         (&net.Dialer{Timeout: probeTimeout}).DialContext,
			TLSHandshakeTimeout: probeTimeout,
			// One idle connection per peer; below the peer's own ReadTimeout
			// of 5 minutes, so that we close it and not the peer.
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
		},
	}}
}

// probe asks a peer at each of its URLs until one answers.
func (p *prober) probe(ctx context.Context, urls []string) finding {
	var last finding
	for _, u := range urls {
		last = p.ask(ctx, u)
		if last.ok {
			break
		}
	}
	return last
}

// ask gets the peer's list of members: the answer's header names its cluster.
func (p *prober) ask(ctx context.Context, peerURL string) finding {
	u, err := url.Parse(peerURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return finding{ok: true} // a unix socket: raft's own connection has to tell
	}
	resp, err := p.get(ctx, peerURL)
	if err != nil {
		return finding{cause: u.Hostname() + ": " + short(explain(err, u))}
	}
	defer resp.Body.Close()
	// Read to the end, or the connection cannot be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxMembers))
	id := resp.Header.Get("X-Etcd-Cluster-ID")
	switch {
	case id != "":
		return finding{ok: true, clusterID: id}
	case resp.StatusCode == http.StatusBadRequest && u.Scheme == "http":
		return finding{cause: u.Hostname() + ": speaks TLS, but its peer URL says http"}
	default:
		return finding{cause: fmt.Sprintf("%s: port %s is not an etcd peer port (HTTP %d)", u.Hostname(), port(u), resp.StatusCode)}
	}
}

// maxMembers bounds a peer's list in bytes. A list of members is small; whoever
// sends more is no peer.
const maxMembers = 1 << 20

// get asks a peer for its list of members.
func (p *prober) get(ctx context.Context, peerURL string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(peerURL, "/")+"/members", nil)
	if err != nil {
		return nil, err
	}
	return p.client.Do(req)
}

// explain turns an error into what the operator has to look at.
func explain(err error, u *url.URL) string {
	var (
		dns     *net.DNSError
		op      *net.OpError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return "the name does not resolve (no such host)"
		}
		return "the name cannot be resolved (is DNS reachable?)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Sprintf("no route to host; is TCP %s open in its firewall?", port(u))
	case errors.Is(err, syscall.ENETUNREACH):
		return "network is unreachable"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "does not speak TLS, but its peer URL says https"
	case errors.As(err, &unknown):
		return "TLS: its certificate is signed by an unknown authority; see ETCD_PEER_TRUSTED_CA_FILE"
	case errors.As(err, &host):
		return "TLS: its certificate is not valid for this address: " + host.Error()
	case errors.As(err, &invalid):
		return "TLS: its certificate is not valid: " + invalid.Error()
	case errors.As(err, &op) && op.Op == "remote error": // so crypto/tls wraps an alert
		return fmt.Sprintf("TLS: it refuses our certificate (%s); see ETCD_PEER_CERT_FILE", strings.TrimPrefix(op.Err.Error(), "tls: "))
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return fmt.Sprintf("no answer in %s; is it up, and TCP %s open in its firewall?", probeTimeout, port(u))
	}
	if op != nil {
		return op.Err.Error()
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err.Error()
	}
	return err.Error()
}

// short bounds a cause: an error about a certificate may list a hundred names.
func short(s string) string {
	const limit = 200 // two lines of a terminal
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
