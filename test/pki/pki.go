// Package pki makes certificates for tests.
package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Certificate is one with its key. Cert and Key are in PEM.
type Certificate struct {
	Cert, Key []byte

	signer *ecdsa.PrivateKey
	x509   *x509.Certificate
}

// Issue makes a certificate, signed by the key of by, or its own if by is nil.
// Unless change says something else, it is good since two days ago and for a
// year, for 127.0.0.1, as server and as client. It panics with what x509 does
// not take.
func Issue(by *Certificate, change func(*x509.Certificate)) *Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "etcd"},
		NotBefore: time.Now().AddDate(0, 0, -2), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if change != nil {
		change(template)
	}
	c := &Certificate{signer: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	if by == nil {
		by = &Certificate{signer: c.signer, x509: template}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, by.x509, &c.signer.PublicKey, by.signer))
	c.x509 = must(x509.ParseCertificate(der))
	c.Cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.Key = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(c.signer))})
	return c
}

// Authority is a change that makes a certificate one that signs others.
func Authority(c *x509.Certificate) {
	c.Subject.CommonName = "CA"
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	c.IPAddresses, c.DNSNames = nil, nil
}

// CRL is a revocation list of c without an entry, in DER as etcd reads it.
func (c *Certificate) CRL() []byte {
	return must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: c.x509.NotBefore, NextUpdate: c.x509.NotAfter,
	}, c.x509, c.signer))
}

// NegativeSerial is c with a negative serial number, which Go refuses to parse
// and other programs have been known to write.
func (c *Certificate) NegativeSerial() []byte {
	der := bytes.Clone(c.x509.Raw)
	der[bytes.Index(der, c.x509.SerialNumber.Bytes())] |= 0x80
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TLS is the configuration of a server or client that shows c.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{must(tls.X509KeyPair(c.Cert, c.Key))}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
