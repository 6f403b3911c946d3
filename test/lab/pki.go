package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"time"
)

// PKI is a CA and one certificate, good for every host as server, peer and
// client: so that the env file can be the same on all of them.
type PKI struct {
	client *tls.Config
	files  map[string][]byte // PEM, by name
}

// NewPKI makes one for these hosts. It is good for a day.
func NewPKI(hosts []*Host) (*PKI, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "etcd"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, h := range hosts {
		cert.IPAddresses = append(cert.IPAddresses, net.ParseIP(h.IP))
		cert.DNSNames = append(cert.DNSNames, h.Name)
	}
	certDER, err := x509.CreateCertificate(rand.Reader, cert, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	p := &PKI{files: map[string][]byte{
		"ca.crt":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		"etcd.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certDER}),
		"etcd.key": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}}
	pair, err := tls.X509KeyPair(p.files["etcd.crt"], p.files["etcd.key"])
	if err != nil {
		return nil, err
	}
	p.client = &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{pair}}
	p.client.RootCAs.AppendCertsFromPEM(p.files["ca.crt"])
	return p, nil
}

// TLS is the configuration of a client; nil, for http, without a PKI.
func (p *PKI) TLS() *tls.Config {
	if p == nil {
		return nil
	}
	return p.client
}

// Install puts the files into /etc/etcd on a host, readable by the service's
// group.
func (p *PKI) Install(ctx context.Context, h *Host) error {
	for name, content := range p.files {
		if err := h.Write(ctx, "/etc/etcd/"+name, string(content), 0o640); err != nil {
			return err
		}
	}
	_, err := h.Run(ctx, "chgrp", "-R", "etcd", "/etc/etcd")
	return err
}

// Env are the lines of the env file that make a member use it, with clients
// and peers. The URLs must say https too.
func (p *PKI) Env() []string {
	return []string{
		"ETCD_CERT_FILE=/etc/etcd/etcd.crt", "ETCD_KEY_FILE=/etc/etcd/etcd.key",
		"ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt", "ETCD_CLIENT_CERT_AUTH=true",
		"ETCD_PEER_CERT_FILE=/etc/etcd/etcd.crt", "ETCD_PEER_KEY_FILE=/etc/etcd/etcd.key",
		"ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt", "ETCD_PEER_CLIENT_CERT_AUTH=true",
	}
}

// Flags are the same as etcd's flags.
func (p *PKI) Flags() []string {
	var flags []string
	for _, line := range p.Env() {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "ETCD_"), "=")
		flags = append(flags, "--"+strings.ReplaceAll(strings.ToLower(name), "_", "-")+"="+value)
	}
	return flags
}
