package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// ErrNoData is the error for a node that has no data and waits.
var ErrNoData = errors.New("no data yet")

// Headers of a node's answer: that there is no data, and the cluster that does not
// list this node; or the cluster and the member whose data there is.
const (
	noData     = "X-Etcd-Node-Without-Data"
	unlistedBy = "X-Etcd-Node-Not-Listed-By"
	dataOf     = "X-Etcd-Node-Data-Of"
)

// Announcement is what a node says that waits, while etcd does not listen yet.
type Announcement struct {
	// ClusterID and MemberID say whose data is there; zero where there is none.
	ClusterID, MemberID uint64
	// Unlisted is the cluster that has been found alive and does not list this node,
	// on which there is no data; zero: none has been found.
	Unlisted uint64
}

func (a Announcement) String() string {
	switch {
	case a.MemberID != 0:
		return fmt.Sprintf("it waits with data of member %x of cluster %x", a.MemberID, a.ClusterID)
	case a.Unlisted != 0:
		return fmt.Sprintf("%v; cluster %x does not list it", ErrNoData, a.Unlisted)
	}
	return ErrNoData.Error()
}

func (a Announcement) write(h http.Header) {
	if a.MemberID != 0 {
		h.Set(dataOf, fmt.Sprintf("%x/%x", a.ClusterID, a.MemberID))
		return
	}
	h.Set(noData, "true")
	if a.Unlisted != 0 {
		h.Set(unlistedBy, fmt.Sprintf("%x", a.Unlisted))
	}
}

// announced is what an answer announces, if it does.
func announced(h http.Header) (a Announcement, yes bool) {
	if h.Get(noData) != "" {
		a.Unlisted, _ = strconv.ParseUint(h.Get(unlistedBy), 16, 64) // mostly there is none
		return a, true
	}
	cluster, member, _ := strings.Cut(h.Get(dataOf), "/")
	var err1, err2 error
	a.ClusterID, err1 = strconv.ParseUint(cluster, 16, 64)
	a.MemberID, err2 = strconv.ParseUint(member, 16, 64)
	if err1 != nil || err2 != nil || a.MemberID == 0 {
		return Announcement{}, false
	}
	return a, true
}

// Waits is the error for a node that announces something. It is [ErrNoData] where
// that node has no data.
type Waits struct {
	Announcement
	host string
}

func (w *Waits) Error() string { return w.host + ": " + w.String() }

// Is implements [errors.Is].
func (w *Waits) Is(target error) bool {
	return target == ErrAnswered || target == ErrNoData && w.MemberID == 0
}

// Announce answers at this node's peer URLs, while etcd does not listen there
// yet, with what says returns, for each question anew: without it the other nodes
// could not tell this one from one whose etcd is just being restarted. Every
// request gets the status 503, of which etcd makes nothing more than of a closed
// port.
//
// auto is --peer-auto-tls, for which a certificate is made that lives as long as
// the answer: who asks verifies none.
//
// stop frees the ports. Where one of them cannot be had there is no answer.
func Announce(urls []url.URL, info transport.TLSInfo, auto bool, says func() Announcement) (stop func(), err error) {
	s := &http.Server{
		ReadHeaderTimeout: answerTimeout, IdleTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := says()
			a.write(w.Header())
			http.Error(w, "etcd has not started on this node: "+a.String(), http.StatusServiceUnavailable)
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
