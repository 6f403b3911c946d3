package peers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/client/pkg/v3/transport"
)

const (
	// answerTimeout is how long a peer may take to accept a connection, to
	// shake hands, and to answer. A peer that is frozen or cut off stays
	// "active" for raft for 20 s and more; this finds it in one.
	answerTimeout = time.Second
	// maxMembers bounds a peer's list in bytes. A list of members is small; a
	// service that sends more is not a peer.
	maxMembers = 1 << 20
)

// Client asks peers over the same ports and with the same certificates as
// raft. It is safe for concurrent use.
type Client struct {
	reusing *http.Client // its connections serve many questions
	fresh   *http.Client // each of its questions has a connection of its own
	// unverified is fresh, and takes every certificate.
	unverified *http.Client
	dial       Dial
	tls        *tls.Config
}

// Dial connects, as [net.Dialer.DialContext] does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// NewClient returns a client that uses a configuration from [ClientTLS], and
// dial, where that is not nil, to connect. It uses no proxy.
func NewClient(tlsConfig *tls.Config, dial Dial) *Client {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	common := http.Transport{
		TLSClientConfig: tlsConfig,
		// net/http goes on with a connection after it has given up the request
		// for it: for ever, where a peer is frozen and its kernel accepts.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, answerTimeout)
			defer cancel()
			return dial(ctx, network, address)
		},
		TLSHandshakeTimeout: answerTimeout,
	}
	reusing := common.Clone()
	// One idle connection per peer, for less than the peer's own ReadTimeout of
	// 5 minutes, so that we close it and not the peer.
	reusing.MaxIdleConnsPerHost = 1
	reusing.IdleConnTimeout = time.Minute
	fresh := common.Clone()
	fresh.DisableKeepAlives = true
	unverified := fresh.Clone()
	if unverified.TLSClientConfig == nil {
		unverified.TLSClientConfig = new(tls.Config)
	}
	unverified.TLSClientConfig.InsecureSkipVerify = true
	unverified.TLSClientConfig.VerifyConnection, unverified.TLSClientConfig.VerifyPeerCertificate = nil, nil
	return &Client{
		reusing: &http.Client{Transport: reusing, Timeout: answerTimeout, CheckRedirect: stay},
		fresh:   &http.Client{Transport: fresh, CheckRedirect: stay},

		unverified: &http.Client{Transport: unverified, Timeout: answerTimeout, CheckRedirect: stay},

		dial: dial,
		tls:  tlsConfig,
	}
}

// stay does not follow redirections: peers send none, and an answer from
// elsewhere would not be the peer's.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ClientTLS is the client's side of raft's own TLS; auto is --peer-auto-tls.
func ClientTLS(info transport.TLSInfo, auto bool) (*tls.Config, error) {
	config, err := info.ClientConfig()
	if err != nil {
		return nil, err
	}
	if auto && info.Empty() {
		config.InsecureSkipVerify = true // as raft's own connections do then
	}
	return config, nil
}

// Finding is what one probe of a peer found.
type Finding struct {
	Began     time.Time     // the probe; what has happened since, it cannot know
	OK        bool          // it answered as an etcd peer
	Cause     string        // why it did not: "192.168.122.6: connection refused"
	Mute      bool          // nobody answered at all
	ClusterID string        // the cluster it belongs to, hexadecimal; "" where unknown
	Trip      time.Duration // how long it takes to ask, on average
	Version   string        // of its etcd; "" where unknown
	Untrusted bool          // none of our trusted CAs has signed its certificate
}

// Probe asks a peer at each of its URLs until one answers, for a second each.
func (c *Client) Probe(ctx context.Context, urls []string) Finding {
	var last Finding
	for _, u := range urls {
		begun := time.Now()
		last = c.probe(ctx, u)
		if last.OK {
			last.Trip = time.Since(begun)
			break
		}
	}
	return last
}

// Version asks a peer for the version of its etcd at each of its URLs until one tells;
// "" where none does. It uses the connection of a probe.
func (c *Client) Version(ctx context.Context, urls []string) string {
	for _, u := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(u, "/")+"/version", nil)
		if err != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			continue
		}
		resp, err := c.reusing.Do(req)
		if err != nil {
			continue
		}
		var v version.Versions
		err = json.NewDecoder(io.LimitReader(resp.Body, maxMembers)).Decode(&v)
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxMembers)) // as in probe
		resp.Body.Close()
		if err == nil && v.Server != "" {
			return v.Server
		}
	}
	return ""
}

// probe gets the peer's list of members: the answer's header names its cluster.
func (c *Client) probe(ctx context.Context, peerURL string) Finding {
	u, err := url.Parse(peerURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return Finding{OK: true} // a unix socket: raft's own connection has to tell
	}
	resp, err := c.getMembers(ctx, peerURL)
	if err != nil {
		var unknown x509.UnknownAuthorityError
		return Finding{Cause: u.Hostname() + ": " + short(explain(err, u)), Mute: mute(err), Untrusted: errors.As(err, &unknown)}
	}
	defer resp.Body.Close()
	// Read to the end, or the connection cannot be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxMembers))
	id := resp.Header.Get("X-Etcd-Cluster-ID")
	waits, announces := announced(resp.Header)
	switch {
	case announces:
		return Finding{Cause: u.Hostname() + ": " + waits.String()}
	case id != "":
		return Finding{OK: true, ClusterID: id}
	case resp.StatusCode == http.StatusBadRequest && u.Scheme == "http":
		return Finding{Cause: u.Hostname() + ": " + speaksTLS}
	default:
		return Finding{Cause: notEtcd(u, resp.StatusCode)}
	}
}

// notEtcd says that what answered at a peer URL is no member.
func notEtcd(u *url.URL, status int) string {
	return fmt.Sprintf("%s: port %s is not an etcd peer port (HTTP %d)", u.Hostname(), portOf(u), status)
}

func (c *Client) getMembers(ctx context.Context, peerURL string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(peerURL, "/")+"/members", nil)
	if err != nil {
		return nil, err
	}
	var r reach
	resp, err := c.reusing.Do(req.WithContext(r.trace(ctx)))
	if err != nil {
		return nil, c.dropped(ctx, req.URL, r, err)
	}
	return resp, nil
}

// Get asks a peer at a URL of its port. The caller closes the answer's body.
func (c *Client) Get(ctx context.Context, at string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	return c.reusing.Do(req)
}
