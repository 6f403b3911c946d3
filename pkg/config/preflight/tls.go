package preflight

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
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
	Idle                  bool // no URL uses the files: etcd does not load them
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
	next  time.Time // when the clock alone changes the findings; zero: never
}

func (c *checker) add(kind Kind, setting, what, hint string, notice bool) {
	if kind != Unset && c.Idle {
		kind, notice = Aside, true
	}
	c.found = append(c.found, Finding{Setting: c.setting(setting), What: what, Hint: hint, Notice: notice, Kind: kind})
}

// misfit adds what etcd does not mind and others may. It keeps a cluster from
// forming only where peers need it.
func (c *checker) misfit(setting, what, hint string, serious bool) {
	c.add(Misfit, setting, what, hint, !serious)
}

// changesAt notes when the clock changes what is to be said.
func (c *checker) changesAt(t time.Time) {
	if t.After(c.Now()) && (c.next.IsZero() || t.Before(c.next)) {
		c.next = t
	}
}

// TLS checks the files of one side, without a look at names and addresses. What
// it finds holds until a file changes or the time until has come, which is zero
// where the clock changes nothing.
func (h *Host) TLS(s Side) (found []Finding, until time.Time) {
	c := &checker{Host: h, Side: s}
	roots := c.authority()
	c.revocations()
	server := c.pair("cert-file", s.Cert, "key-file", s.Key)
	client := c.pair("client-cert-file", s.ClientCert, "client-key-file", s.ClientKey)
	if server != nil {
		c.valid("cert-file", s.Cert, server, roots)
		c.usage("cert-file", s.Cert, server, x509.ExtKeyUsageServerAuth, "a server", s.Peer && s.Several)
		if s.ClientCert == "" && (s.Peer || s.ClientAuth) {
			c.usage("cert-file", s.Cert, server, x509.ExtKeyUsageClientAuth, "a client", s.shown())
		}
	}
	if client != nil {
		c.valid("client-cert-file", s.ClientCert, client, roots)
		c.usage("client-cert-file", s.ClientCert, client, x509.ExtKeyUsageClientAuth, "a client", s.shown())
	}
	return c.found, c.next
}

// shown reports whether the members must show each other certificates: etcd
// asks for one where it has an authority, or is told to. Towards clients it is
// only etcd's own HTTP gateway that connects.
func (s Side) shown() bool { return s.Peer && s.Several && (s.CA != "" || s.ClientAuth) }

// Files are the paths of the side's files that are set.
func (s Side) Files() []string {
	return slices.DeleteFunc([]string{s.CA, s.CRL, s.Cert, s.Key, s.ClientCert, s.ClientKey}, func(path string) bool { return path == "" })
}

// read reads a file as the daemon will, and records why it cannot.
func (c *checker) read(setting, path string) ([]byte, bool) {
	data, err := c.ReadFile(path)
	if err == nil {
		return data, true
	}
	what, hint := c.unreadable(path, err, "put a PEM file there")
	c.add(Late, setting, what, hint, false)
	return nil, false
}

// unreadable says why the daemon will not read a file, and what to do: another
// hint is for what is no file at all.
func (c *checker) unreadable(path string, err error, another string) (what, hint string) {
	who := "this user"
	if c.User != nil {
		who = "the user " + c.User.Name
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + " does not exist", "put the file there"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s cannot be read by %s", path, who),
			"chown root:etcd and chmod 0640 the file, and 0750 its directories; not in /home or /root, which the unit hides"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Sprintf("read %s: %v", path, err), another
}

// pair reads a certificate and its key and returns the certificate with its
// chain, nil where there is none to judge.
func (c *checker) pair(certSetting, certPath, keySetting, keyPath string) []*x509.Certificate {
	switch {
	case certPath == "" && keyPath == "":
		return nil
	case certPath == "":
		c.add(Unset, keySetting, "a key without a certificate", "set "+c.variable(certSetting)+" too, or neither", false)
		return nil
	case keyPath == "":
		c.add(Unset, certSetting, "a certificate without a key", "set "+c.variable(keySetting)+" too, or neither", false)
		return nil
	}
	certPEM, ok1 := c.read(certSetting, certPath)
	keyPEM, ok2 := c.read(keySetting, keyPath)
	if !ok1 {
		return nil
	}
	const hint = "give the certificate in PEM, with its intermediates behind it"
	chain := parse(certPEM, false)
	switch {
	case chain.first != nil: // etcd parses no other
		c.add(Late, certSetting, fmt.Sprintf("%s: %v", certPath, chain.first), "have it issued again", false)
		return nil
	case len(chain.certs) == 0:
		what, more := chain.none(certPEM)
		c.add(Late, certSetting, certPath+" "+what, more+hint, false)
		return nil
	case chain.rest != nil:
		c.misfit(certSetting, fmt.Sprintf("%s: %v", certPath, chain.rest), "etcd sends it all the same, and who reads it refuses the connection; have it issued again", c.Peer && c.Several)
	case chain.cut:
		c.misfit(certSetting, certPath+" ends within a certificate", hint, false)
	}
	if !ok2 {
		return chain.certs
	}
	if len(bytes.TrimSpace(keyPEM)) == 0 {
		c.add(Late, keySetting, keyPath+" is empty", "give the key of "+certPath+" in PEM", false)
	} else if _, err := tls.X509KeyPair(certPEM, keyPEM); err != nil {
		c.add(Late, keySetting, fmt.Sprintf("%s does not fit %s: %v", keyPath, certPath, err), "give the two that were made together; a key with a passphrase cannot be used", false)
	}
	return chain.certs
}

// refusing is what comes of a revocation list that etcd cannot read.
const refusing = ", so etcd refuses whoever shows a certificate"

// revocations checks the revocation list. etcd reads it at each handshake in
// which it is shown a certificate, and takes DER alone.
func (c *checker) revocations() {
	if c.CRL == "" {
		return
	}
	say := func(what, hint string) { c.add(Revocations, "crl-file", what+refusing, hint, true) }
	const hint = "write one with openssl ca -gencrl, in DER"
	data, err := c.ReadFile(c.CRL)
	if err != nil {
		say(c.unreadable(c.CRL, err, hint))
		return
	}
	if _, err = x509.ParseRevocationList(data); err == nil {
		return
	}
	if _, inPEM := x509.ParseRevocationList(decoded(data)); inPEM == nil {
		say(c.CRL+" is in PEM and not in DER", "openssl crl -outform der")
		return
	}
	say(fmt.Sprintf("%s is not a revocation list (%v)", c.CRL, err), hint)
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
