package peers

import (
	"errors"
	"io"
	"log"
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
// stop frees the ports. Where one of them cannot be had there is no answer, and
// etcd will say why.
func Announce(urls []url.URL, info transport.TLSInfo) (stop func(), err error) {
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
		l, err := transport.NewListener(u.Host, u.Scheme, &info)
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
