package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/preflight"
)

// goodHost is a machine on which every file is there and good: a key where
// the path says key, a revocation list where it says crl, else a certificate
// that is its own CA. Its certificate is for 192.168.122.5 and names of the
// tests. No directory is there.
func goodHost(t *testing.T) *preflight.Host {
	t.Helper()
	files, err := goodFiles()
	if err != nil {
		t.Fatal(err)
	}
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

var goodFiles = sync.OnceValues(func() (map[string][]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
		DNSNames: []string{"etcd-1.lab.example", "etcd-1"}, IPAddresses: []net.IP{net.IPv4(192, 168, 122, 5), net.IPv4(10, 0, 0, 5), net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: cert.NotBefore, NextUpdate: cert.NotAfter}, cert, key)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"key": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
		"crl": crl,
	}, nil
})
