package peers

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestMembers(t *testing.T) {
	const list = `[{"id":1,"peerURLs":["http://127.0.0.1:1"],"name":"a","clientURLs":["http://127.0.0.1:3"]},{"id":18446744073709551615,"peerURLs":["http://127.0.0.1:2"],"name":"","isLearner":true}]`
	for name, tc := range map[string]struct {
		status  int
		cluster string
		body    string
		want    []Member
		err     string // a part of it
	}{
		"a list": {200, "c", list, []Member{{1, "a", []string{"http://127.0.0.1:1"}, []string{"http://127.0.0.1:3"}, false},
			{ID: 1<<64 - 1, PeerURLs: []string{"http://127.0.0.1:2"}, Learner: true}}, ""},
		"an empty list":            {200, "c", "[]", []Member{}, ""},
		"another service":          {404, "", list, nil, "is not an etcd peer port (HTTP 404)"},
		"a page of a web server":   {200, "", "<html>", nil, "is not an etcd peer port (HTTP 200)"},
		"not JSON":                 {200, "c", "<html>", nil, "its list of members cannot be read"},
		"more than any list is":    {200, "c", "[" + strings.Repeat(" ", maxMembers) + "]", nil, "its list of members cannot be read"},
		"a list that is cut short": {200, "c", list[:len(list)-1], nil, "its list of members cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tc.cluster != "" {
					w.Header().Set("X-Etcd-Cluster-ID", tc.cluster)
				}
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			}))
			t.Cleanup(s.Close)
			got, err := NewClient(nil, nil).Members(t.Context(), s.URL+"/")
			if err != nil {
				if tc.err == "" || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%v, want %q", err, tc.err)
				}
				return
			}
			if tc.err != "" || got.ClusterID != tc.cluster || !reflect.DeepEqual(got.Members, tc.want) {
				t.Errorf("%+v, want %+v, %q", got, tc.want, tc.err)
			}
		})
	}
}

// Why a peer does not answer decides whether a cluster may begin without it.
func TestMembersUnanswered(t *testing.T) {
	gone := listen(t)
	gone.Close()
	_, err := NewClient(nil, nil).Members(t.Context(), "http://"+gone.Addr().String())
	if !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != "127.0.0.1: connection refused" {
		t.Errorf("a closed port: %v", err)
	}
	if _, err := NewClient(nil, nil).Members(t.Context(), "unix://sock:1"); !errors.Is(err, ErrUnasked) {
		t.Errorf("a unix socket: %v", err)
	}
}

// A peer that speaks the other scheme than its URL says lives, and says where.
// One that wants a certificate then, or is no etcd, has answered all the same.
func TestMembersOtherScheme(t *testing.T) {
	member := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", "c")
		fmt.Fprint(w, `[{"id":1,"peerURLs":["http://127.0.0.1:1"]}]`)
	})
	fresh := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(noData, "true")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	closes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	})
	for name, tc := range map[string]struct {
		handler http.Handler
		tls     *tls.Config // nil: none
		scheme  string      // asked for
		want    string      // OtherScheme
		err     string
	}{
		"http asked, https spoken":          {member, &tls.Config{}, "http", "https", ""},
		"https asked, http spoken":          {member, nil, "https", "http", ""},
		"the same scheme":                   {member, nil, "http", "", ""},
		"https with client certificates":    {member, &tls.Config{ClientAuth: tls.RequireAnyClientCert}, "http", "", speaksTLS},
		"https of a node without data":      {fresh, &tls.Config{}, "http", "", speaksTLS},
		"http of a node without data":       {fresh, nil, "https", "", "does not speak TLS"},
		"a certificate that nobody trusts":  {member, &tls.Config{}, "https", "", "unknown authority"},
		"a service":                         {http.NotFoundHandler(), nil, "http", "", "is not an etcd peer port"},
		"a service that closes":             {closes, nil, "http", "", "closes the connection without an answer"},
		"https of a service":                {http.NotFoundHandler(), &tls.Config{}, "http", "", speaksTLS},
		"a certificate that was not wanted": {member, &tls.Config{ClientAuth: tls.RequireAnyClientCert}, "https", "", "TLS: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(tc.handler)
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			if s.TLS = tc.tls; tc.tls != nil {
				s.StartTLS()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			got, err := NewClient(nil, nil).Members(t.Context(), tc.scheme+"://"+s.Listener.Addr().String())
			if tc.err == "" && (err != nil || got.OtherScheme != tc.want || got.ClusterID != "c" || len(got.Members) != 1) {
				t.Errorf("%+v, %v", got, err)
			}
			if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err) || !errors.Is(err, ErrAnswered) || errors.Is(err, ErrNoData)) {
				t.Errorf("%v, answered: %v", err, errors.Is(err, ErrAnswered))
			}
		})
	}
	gone := listen(t)
	gone.Close()
	if _, err := NewClient(nil, nil).Members(t.Context(), "http://"+gone.Addr().String()); errors.Is(err, ErrAnswered) {
		t.Errorf("a closed port has answered: %v", err)
	}
	mute := listen(t) // its kernel accepts
	if _, err := NewClient(nil, nil).Members(t.Context(), "http://"+mute.Addr().String()); err == nil || errors.Is(err, ErrAnswered) {
		t.Errorf("a mute one has answered: %v", err)
	}
}
