package preflight

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// bundle is what a PEM file of certificates holds.
type bundle struct {
	certs []*x509.Certificate // those that can be parsed
	// first is why the first certificate cannot be parsed, rest why a later one
	// cannot, in the parser's own words; nil where they can.
	first, rest error
	blocks      int    // of any type
	head        string // the type of the first block
	cut         bool   // the file ends within a block
}

const blockBegin = "-----BEGIN "

// parse reads every block of a PEM file. Blocks that are no certificates are
// passed over, as crypto/tls does, or are an error where all must be
// certificates, as etcd has it with a CA file.
func parse(data []byte, all bool) (b bundle) {
	var blocks []*pem.Block
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		b.blocks++
		if b.head == "" {
			b.head = block.Type
		}
		if all || block.Type == "CERTIFICATE" {
			blocks = append(blocks, block)
		}
		data = rest
	}
	b.cut = bytes.Contains(data, []byte(blockBegin))
	for i, block := range blocks {
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err == nil:
			b.certs = append(b.certs, cert)
			continue
		case block.Type != "CERTIFICATE":
			err = fmt.Errorf("block %d of %d is of type %s, not CERTIFICATE", i+1, len(blocks), block.Type)
		case len(blocks) == 1:
			err = fmt.Errorf("its certificate cannot be parsed: %w", err)
		default:
			err = fmt.Errorf("certificate %d of %d cannot be parsed: %w", i+1, len(blocks), err)
		}
		if i == 0 {
			b.first = err
		} else {
			b.rest = errors.Join(b.rest, err)
		}
	}
	return b
}

// none is why a file has no certificate at all.
func (b bundle) none(data []byte) (what, hint string) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "is empty", ""
	case b.blocks == 0 && b.cut:
		return "holds no certificate: it ends within the first", ""
	case b.head != "":
		return "holds no certificate", fmt.Sprintf("the file begins with a %s; ", b.head)
	}
	return "holds no certificate", ""
}
