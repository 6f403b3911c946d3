package peers

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// etcd's peer port closes a connection that it does not want without an answer,
// and says why in its own log only. The two reasons that matter can be found out
// from this end: the port speaks TLS and was spoken to without, and our
// certificate is not for the address from which we come, as the peer sees it.

// reach notes how far a question gets.
type reach struct {
	local net.Addr // of the connection, after its handshake; nil before
}

func (r *reach) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { r.local = i.Conn.LocalAddr() },
	})
}

// droppedError is the error of a connection that the peer has closed, with what
// was found out about the reason.
type droppedError struct {
	cause string
	err   error
}

func (d *droppedError) Error() string { return d.cause }
func (d *droppedError) Unwrap() error { return d.err }

const (
	// malformed is how net/http begins its complaint about an answer that is not
	// HTTP, such as an alert of TLS.
	malformed = "malformed HTTP response"
	// closedEarly is what net/http says where the peer has closed the connection
	// before the question was on its way, also if it never was idle.
	closedEarly = "server closed idle connection"
)

// dropped adds to an error what can be found out about its reason, if the peer
// has closed the connection without an answer.
func (c *Client) dropped(ctx context.Context, u *url.URL, r reach, err error) error {
	closed := closedOn(err)
	cause := ""
	switch {
	case u.Scheme == "http" && (closed || strings.Contains(err.Error(), malformed)) && c.answersTLS(ctx, u):
		cause = speaksTLS
	case !closed || errors.Is(err, syscall.ECONNRESET) && (u.Scheme == "http" || r.local == nil):
		return err
	case u.Scheme == "http":
		cause = "closes the connection without an answer"
	case r.local == nil:
		cause = fmt.Sprintf("TLS: it closes the connection during the handshake; does its port %s speak TLS?", portOf(u))
	default:
		cause = c.unwanted(ctx, r.local)
	}
	return &droppedError{cause, err}
}

// closedOn reports whether an error says that the peer has closed the connection.
func closedOn(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		err != nil && strings.HasSuffix(err.Error(), closedEarly)
}

// unwanted says why a peer may have closed a connection after its handshake. It
// does so where it does not take our certificate for the address that it sees,
// or finds it revoked.
func (c *Client) unwanted(ctx context.Context, local net.Addr) string {
	host, _, err := net.SplitHostPort(local.String())
	if leaf := c.certificate(); err == nil && leaf != nil && !covers(ctx, leaf, host) {
		return fmt.Sprintf("TLS: it sees %s, the certificate is for %s; see ETCD_PEER_CERT_FILE, or dial from there with ETCD_FEATURE_GATES=SetMemberLocalAddr=true", host, names(leaf))
	}
	return "TLS: it closes the connection after the handshake, so it refuses our certificate: is it revoked, or does the peer see another address? Its log says why (rejected connection)"
}

// certificate is the one that this client shows; nil if it has none.
func (c *Client) certificate() *x509.Certificate {
	if c.tls == nil {
		return nil
	}
	var pair *tls.Certificate
	switch {
	case c.tls.GetClientCertificate != nil:
		pair, _ = c.tls.GetClientCertificate(new(tls.CertificateRequestInfo)) // raft's own attempt tells its error
	case len(c.tls.Certificates) > 0:
		pair = &c.tls.Certificates[0]
	}
	if pair == nil || len(pair.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// covers reports whether etcd takes a certificate from a client with this
// address: any if it names no host, else one that names the address, or a host
// that has it by DNS. Where DNS does not say, or not in time, the answer is yes:
// the certificate is not to be blamed for it.
func covers(ctx context.Context, leaf *x509.Certificate, host string) bool {
	if len(leaf.IPAddresses) == 0 && len(leaf.DNSNames) == 0 || leaf.VerifyHostname(host) == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for _, name := range leaf.DNSNames {
		if strings.HasPrefix(name, "*.") {
			return true
		}
		addresses, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil || slices.Contains(addresses, host) {
			return true
		}
	}
	return false
}

// names are the hosts that a certificate is for.
func names(leaf *x509.Certificate) string {
	var all []string
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	return strings.Join(append(all, leaf.DNSNames...), ", ")
}

// answersTLS reports whether a peer answers in TLS, whatever it wants to see.
func (c *Client) answersTLS(ctx context.Context, u *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(portOf(u), "80")))
	if err != nil {
		return false
	}
	defer conn.Close()
	spoke := false
	err = tls.Client(conn, &tls.Config{
		InsecureSkipVerify: true, // nothing is sent to it or believed
		VerifyConnection:   func(tls.ConnectionState) error { spoke = true; return nil },
	}).HandshakeContext(ctx)
	return spoke || isAlert(err)
}

// isAlert reports whether an error is the other end's alert.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // so crypto/tls wraps it
}
