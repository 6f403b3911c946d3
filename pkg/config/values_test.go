package config

import (
	"crypto/x509"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/pki"
)

func TestAddClient(t *testing.T) {
	server := pki.Issue(nil, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] })
	host := &preflight.Host{ReadFile: func(path string) ([]byte, error) {
		if path == "server.crt" {
			return server.Cert, nil
		}
		return nil, fs.ErrPermission // what cannot be read is taken for good
	}}
	for _, tc := range []struct{ url, set, want string }{
		{"", "", ""},
		{"http://u:secretpw@192.0.2.1:2379", "", ""},
		{"http://192.0.2.1:2379", "cert-file=a.crt key-file=a.key", ""},
		{"https://192.0.2.1:2379", "cert-file=a.crt key-file=a.key", "client-ca=CA-FILE"},
		{"https://192.0.2.1:2379", "cert-file=a.crt key-file=a.key client-cert-auth=1", "client-ca=CA-FILE client-cert=a.crt client-key=a.key"},
		{"https://192.0.2.1:2379", "cert-file=a.crt key-file=a.key trusted-ca-file=ca.crt", "client-ca=ca.crt client-cert=a.crt client-key=a.key"},
		{"https://192.0.2.1:2379", "cert-file=a.crt key-file=a.key trusted-ca-file=ca.crt client-cert-file=b.crt client-key-file=b.key", "client-ca=ca.crt client-cert=b.crt client-key=b.key"},
		{"https://192.0.2.1:2379", "cert-file=server.crt key-file=a.key trusted-ca-file=ca.crt", "client-ca=ca.crt client-cert=CLIENT-CERT client-key=CLIENT-KEY"},
		{"https://192.0.2.1:2379", "auto-tls=true", "client-insecure=true"},
	} {
		set := map[string]string{"advertise-client-urls": tc.url + ",http://192.0.2.9:1"}
		for item := range strings.FieldsSeq(tc.set) {
			key, value, _ := strings.Cut(item, "=")
			set[key] = value
		}
		v := failure.Values{}
		addClient(v, set, host)
		if want := strings.Replace(tc.url, "u:secretpw@", "", 1); v["client-url"] != want {
			t.Errorf("%q, want %q", v["client-url"], want)
		}
		delete(v, "client-url")
		var got []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			got = append(got, key+"="+v[key])
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s with %s: %q, want %q", tc.url, tc.set, got, tc.want)
		}
	}
}
