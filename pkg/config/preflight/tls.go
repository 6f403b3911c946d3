package preflight

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Side are the TLS settings of one side of a member, towards its peers or its
// clients. Paths that are "" are not set.
type Side struct {
	Peer                  bool
	Cert, Key             string
	ClientCert, ClientKey string // what it shows as a client, where that is another one
	CA, CRL               string
	ClientAuth            bool // clients must show a certificate
	Several               bool // there are other members, reached with TLS: an unusable peer certificate keeps the cluster from forming
}

// setting is the name of one of the side's flags.
func (s Side) setting(name string) string {
	switch {
	case !s.Peer && name == "crl-file":
		return "client-crl-file"
	case s.Peer:
		return "peer-" + name
	}
	return name
}

// variable is the name of the variable behind one of the side's flags.
func (s Side) variable(name string) string {
	return "ETCD_" + strings.ToUpper(strings.ReplaceAll(s.setting(name), "-", "_"))
}

// checker collects the findings of one side.
type checker struct {
	*Host
	Side
	found []Finding
}

func (c *checker) add(setting, what, hint string, notice bool) {
	c.found = append(c.found, Finding{Setting: c.setting(setting), What: what, Hint: hint, Notice: notice})
}

// TLS checks the files of one side, without a look at names and addresses.
func (h *Host) TLS(s Side) []Finding {
	c := &checker{Host: h, Side: s}
	roots := c.authority()
	if s.CRL != "" {
		if data, ok := c.read("crl-file", s.CRL); ok {
			if _, err := x509.ParseRevocationList(decoded(data)); err != nil {
				c.add("crl-file", fmt.Sprintf("%s is not a revocation list: %v", s.CRL, err), "write one with openssl ca -gencrl, in PEM or DER", false)
			}
		}
	}
	server := c.pair("cert-file", s.Cert, "key-file", s.Key)
	client := c.pair("client-cert-file", s.ClientCert, "client-key-file", s.ClientKey)
	if server != nil {
		c.valid("cert-file", s.Cert, server, roots)
		c.usage("cert-file", s.Cert, server, x509.ExtKeyUsageServerAuth, "a server", !s.Peer || !s.Several)
		if s.ClientCert == "" && (s.Peer || s.ClientAuth) {
			c.usage("cert-file", s.Cert, server, x509.ExtKeyUsageClientAuth, "a client", !s.shown())
		}
	}
	if client != nil {
		c.valid("client-cert-file", s.ClientCert, client, roots)
		c.usage("client-cert-file", s.ClientCert, client, x509.ExtKeyUsageClientAuth, "a client", !s.shown())
	}
	return c.found
}

// shown reports whether the members must show each other certificates: etcd
// asks for one where it has an authority, or is told to. Towards clients it is
// only etcd's own HTTP gateway that connects.
func (s Side) shown() bool { return s.Peer && s.Several && (s.CA != "" || s.ClientAuth) }

// read reads a file as the daemon will, and records why it cannot.
func (c *checker) read(setting, path string) ([]byte, bool) {
	data, err := c.ReadFile(path)
	who := "this user"
	if c.User != nil {
		who = "the user " + c.User.Name
	}
	switch {
	case err == nil:
		return data, true
	case errors.Is(err, fs.ErrNotExist):
		c.add(setting, path+" does not exist", "put the file there, or correct the path", false)
	case errors.Is(err, fs.ErrPermission):
		c.add(setting, fmt.Sprintf("%s cannot be read by %s", path, who),
			"chown root:etcd and chmod 0640 the file, and 0750 its directories; not in /home or /root, which the unit hides", false)
	default:
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		c.add(setting, fmt.Sprintf("read %s: %v", path, err), "give the path of a PEM file", false)
	}
	return nil, false
}

// pair reads a certificate and its key and returns the certificate with its
// chain, nil where there is none to judge.
func (c *checker) pair(certSetting, certPath, keySetting, keyPath string) []*x509.Certificate {
	switch {
	case certPath == "" && keyPath == "":
		return nil
	case certPath == "":
		c.add(keySetting, "a key without a certificate", "set "+c.variable(certSetting)+" too, or neither", false)
		return nil
	case keyPath == "":
		c.add(certSetting, "a certificate without a key", "set "+c.variable(keySetting)+" too, or neither", false)
		return nil
	}
	certPEM, ok1 := c.read(certSetting, certPath)
	keyPEM, ok2 := c.read(keySetting, keyPath)
	if !ok1 {
		return nil
	}
	chain := parse(certPEM)
	if len(chain) == 0 {
		hint := "give the certificate in PEM, with its intermediates behind it"
		if block, _ := pem.Decode(certPEM); block != nil {
			hint = fmt.Sprintf("the file begins with a %s; %s", block.Type, hint)
		}
		c.add(certSetting, certPath+" holds no certificate", hint, false)
		return nil
	}
	if !ok2 {
		return chain
	}
	if _, err := tls.X509KeyPair(certPEM, keyPEM); err != nil {
		c.add(keySetting, fmt.Sprintf("%s does not fit %s: %v", keyPath, certPath, err), "give the two that were made together; a key with a passphrase cannot be used", false)
	}
	return chain
}

// parse returns the certificates of a PEM file.
func parse(data []byte) (certs []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return certs
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			certs = append(certs, cert)
		}
	}
}

// decoded takes PEM off where there is any.
func decoded(data []byte) []byte {
	if block, _ := pem.Decode(data); block != nil {
		return block.Bytes
	}
	return data
}

// Readable checks a file that is only to be there and readable.
func (h *Host) Readable(setting, path string) []Finding {
	c := &checker{Host: h}
	c.read(setting, path)
	return c.found
}
