package peers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// speaksTLS is the cause where a plain peer URL leads to a port with TLS.
const speaksTLS = "speaks TLS, but its peer URL says http"

// explain turns an error into what the operator has to look at. It never names
// the whole URL, which can hold a password.
func explain(err error, u *url.URL) string {
	var (
		dns     *net.DNSError
		op      *net.OpError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		header  tls.RecordHeaderError
		dropped *droppedError
	)
	switch {
	case errors.As(err, &dropped):
		return dropped.cause
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return "the name does not resolve (no such host)"
		}
		return "the name cannot be resolved (is DNS reachable?)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Sprintf("no route to host; is TCP %s open in its firewall?", portOf(u))
	case errors.Is(err, syscall.ENETUNREACH):
		return "network is unreachable"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &header):
		return "does not speak TLS, but its peer URL says https"
	case errors.As(err, &unknown):
		return "TLS: its certificate is signed by an unknown authority; see ETCD_PEER_TRUSTED_CA_FILE"
	case errors.As(err, &host):
		return "TLS: its certificate is not valid for this address: " + host.Error()
	case errors.As(err, &invalid):
		return "TLS: its certificate is not valid: " + invalid.Error()
	case errors.As(err, &op) && isAlert(err):
		alert := strings.TrimPrefix(op.Err.Error(), "tls: ")
		switch {
		case strings.Contains(alert, "authority"): // etcd reads the files of trusted CAs once
			return fmt.Sprintf("TLS: it refuses our certificate (%s): its ETCD_PEER_TRUSTED_CA_FILE lacks the CA of our ETCD_PEER_CERT_FILE, or has changed since its last restart", alert)
		case strings.Contains(alert, "certificate"):
			return fmt.Sprintf("TLS: it refuses our certificate (%s); see ETCD_PEER_CERT_FILE", alert)
		}
		return fmt.Sprintf("TLS: it refuses the handshake (%s)", alert)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return fmt.Sprintf("no answer in %s; is it up, and TCP %s open in its firewall?", answerTimeout, portOf(u))
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

// mute reports whether an error says that nobody has answered at all.
func mute(err error) bool {
	return isTimeout(err) || errors.As(err, new(*net.DNSError)) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// mismatched reports whether an error may come of a URL with the wrong scheme.
func mismatched(u *url.URL, err error) bool {
	if u.Scheme == "http" {
		return closedOn(err) || strings.Contains(err.Error(), malformed)
	}
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError)) || closedOn(err)
}

// answers reports whether an error shows that something listens at the port.
func answers(err error) bool {
	return errors.As(err, new(*droppedError)) || closedOn(err) || isAlert(err) || strings.Contains(err.Error(), malformed) ||
		errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(*tls.CertificateVerificationError))
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
