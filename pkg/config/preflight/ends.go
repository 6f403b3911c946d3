package preflight

import "time"

// End is until when a certificate is valid.
type End struct {
	Setting  string // the flag that names its file
	Path     string
	NotAfter time.Time
}

// Ends are the ends of the side's certificates that can be read: of a chain that of its
// leaf, of several CAs the one that ends first. A side that no URL uses has none.
func (h *Host) Ends(s Side) (ends []End) {
	if s.Idle {
		return nil
	}
	for _, f := range []struct {
		name, path string
		all        bool
	}{{"cert-file", s.Cert, false}, {"client-cert-file", s.ClientCert, false}, {"trusted-ca-file", s.CA, true}} {
		if f.path == "" {
			continue
		}
		data, err := h.ReadFile(f.path)
		if err != nil {
			continue
		}
		certs := parse(data, f.all).certs
		if len(certs) == 0 {
			continue
		}
		end := End{s.setting(f.name), f.path, certs[0].NotAfter}
		for _, c := range certs[1:] {
			if f.all && c.NotAfter.Before(end.NotAfter) {
				end.NotAfter = c.NotAfter
			}
		}
		ends = append(ends, end)
	}
	return ends
}
