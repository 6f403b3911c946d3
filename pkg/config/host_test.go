package config

import (
	"crypto/x509"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/test/pki"
)

// goodHost is a machine on which every file is there and good: a key where
// the path says key, a revocation list where it says crl, else a certificate
// that is its own CA. Its certificate is for 192.168.122.5 and names of the
// tests. No directory is there.
func goodHost() *preflight.Host {
	files := goodFiles()
	return &preflight.Host{
		ReadFile: func(path string) ([]byte, error) {
			for _, kind := range []string{"key", "crl"} {
				if strings.Contains(filepath.Base(path), kind) {
					return files[kind], nil
				}
			}
			return files[""], nil
		},
		Stat:       func(string) (preflight.Info, error) { return preflight.Info{}, fs.ErrNotExist },
		FileSystem: func(string) (string, error) { return "", nil },
		Now:        time.Now,
	}
}

var goodFiles = sync.OnceValue(func() map[string][]byte {
	c := pki.Issue(nil, func(c *x509.Certificate) {
		pki.Authority(c)
		c.DNSNames = []string{"etcd-1.lab.example", "etcd-1"}
		c.IPAddresses = []net.IP{net.IPv4(192, 168, 122, 5), net.IPv4(10, 0, 0, 5), net.IPv4(127, 0, 0, 1)}
	})
	return map[string][]byte{"": c.Cert, "key": c.Key, "crl": c.CRL()}
})
