package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// ErrNoData is the error for a node that has no data and waits.
var ErrNoData = errors.New("no data yet")

// noData is the header of a node's answer that says so.
const noData = "X-Etcd-Node-Without-Data"

// Announce answers at this node's peer URLs, while etcd does not listen there
// yet, that there is no data here: without it the other nodes could not tell this
// one from one whose etcd is just being restarted. Every request gets the status
// 503, of which etcd makes nothing more than of a closed port.
//
// auto is --peer-auto-tls, for which a certificate is made that lives as long as
// the answer: who asks verifies none.
//
// stop frees the ports. Where one of them cannot be had there is no answer.
func Announce(urls []url.URL, info transport.TLSInfo, auto bool) (stop func(), err error) {
	s := &http.Server{
		ReadHeaderTimeout: answerTimeout, IdleTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(noData, "true")
			http.Error(w, "this node has no data yet, and waits", http.StatusServiceUnavailable)
		}),
	}
	var listeners []net.Listener
	for _, u := range urls {
		if u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		l, err := listenAs(u, info, auto)
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	done := make(chan struct{}, len(listeners))
	for _, l := range listeners {
		go func() {
			_ = s.Serve(l) // until stop
			done <- struct{}{}
		}()
	}
	return func() {
		s.Close()
		for _, l := range listeners {
			l.Close() // also one that is not served yet
			<-done
		}
	}, nil
}

// listenAs listens as etcd will.
func listenAs(u url.URL, info transport.TLSInfo, auto bool) (net.Listener, error) {
	if u.Scheme != "https" || !auto || !info.Empty() {
		return transport.NewListener(u.Host, u.Scheme, &info)
	}
	own, err := selfSigned()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{own}}), nil
}

// selfSigned makes a certificate that is in memory only.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	// Valid at every time: the clock of a machine that boots may be wrong.
	form := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(0, 0).AddDate(200, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &form, &form, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
