package config

import (
	"context"
	"crypto/x509"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/netdetect"
	"github.com/etcd-node/etcd-node/test/pki"
)

// lacking is the good host without one file.
func lacking(missing string) *preflight.Host {
	host := goodHost()
	good := host.ReadFile
	host.ReadFile = func(path string) ([]byte, error) {
		if path == missing {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return good(path)
	}
	return host
}

const tlsThree = "ETCD_INITIAL_CLUSTER=a=https://10.0.0.5:2380,b=https://10.0.0.6:2380,c=https://10.0.0.7:2380"

// TestLate: where somebody sees why, a file that may still come is no problem;
// all are told together with one that an edit has to mend.
func TestLate(t *testing.T) {
	in := Input{Host: lacking("/missing"), Patient: true, Watching: true, Environ: []string{"NOTIFY_SOCKET=/x", tlsThree, "ETCD_PEER_CERT_FILE=/missing", "ETCD_PEER_KEY_FILE=/key"},
		ReadFile: func(path string) ([]byte, error) {
			if path != DefaultEnvFile {
				return nil, fs.ErrNotExist
			}
			return []byte(tlsThree + "\nETCD_PEER_CERT_FILE=/missing\n"), nil
		}}
	l, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	seen := l.LookAtTLS(nil)
	const late = "/missing does not exist (put the file there, or correct ETCD_PEER_CERT_FILE, /etc/default/etcd:2)"
	if len(seen.Late) != 1 || seen.Late[0] != late {
		t.Errorf("%+v", seen)
	}
	if got := strings.Join(l.TLSFiles(), " "); got != "/key /missing" {
		t.Error(got)
	}
	in.Environ = append(in.Environ, "ETCD_ELECTION_TIMEOUT=soon")
	if _, err := Load(in); err == nil || !strings.Contains(err.Error(), "ETCD_ELECTION_TIMEOUT") || !strings.Contains(err.Error(), "/missing does not exist (put the file there, or correct the path)") {
		t.Errorf("%v", err)
	}
	in.Environ, in.Patient = in.Environ[:4], false
	if _, err := Load(in); err == nil {
		t.Error("nobody sees why, and it waits")
	}
}

// TestLateInConfigFile: the same of what etcd's config file names.
func TestLateInConfigFile(t *testing.T) {
	const file = "name: x\npeer-transport-security:\n  cert-file: /missing\n  key-file: /key\n"
	l, err := Load(Input{Args: []string{"--config-file=/etcd.yml"}, Host: lacking("/missing"), Patient: true, Watching: true, ReadFile: func(string) ([]byte, error) { return []byte(file), nil }})
	if err != nil {
		t.Fatal(err)
	}
	seen := l.LookAtTLS(nil)
	const late = "/missing does not exist (put the file there, or correct /etcd.yml: peer-transport-security.cert-file)"
	if len(seen.Late) != 1 || seen.Late[0] != late {
		t.Errorf("%+v", seen)
	}
	if len(seen.Conditions) != 1 || seen.Conditions[0].Text != "/missing does not exist (peer-transport-security.cert-file)" {
		t.Errorf("%+v", seen)
	}
}

// TestConditions: what is shown of the files while a member runs, with its
// entry; what clients alone may mind is a notice. A file that two settings name
// is spoken of once.
func TestConditions(t *testing.T) {
	ca := pki.Issue(nil, pki.Authority)
	old := pki.Issue(ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	other := pki.Issue(nil, nil)
	files := map[string][]byte{"/ca": ca.Cert, "/old": old.Cert, "/old.key": old.Key, "/other": other.Cert, "/other.key": other.Key}
	host := goodHost()
	host.ReadFile = func(path string) ([]byte, error) {
		if data, ok := files[path]; ok {
			return data, nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	const listed = "ETCD_INITIAL_CLUSTER=a=https://127.0.0.1:2380,b=https://10.0.0.6:2380"
	peer := []string{listed, "ETCD_NAME=a", "ETCD_PEER_TRUSTED_CA_FILE=/ca"}
	for _, tc := range []struct {
		name    string
		environ []string
		want    string // ID: text, of each
		notice  string
	}{
		{"expired, both sides", append(peer, "ETCD_PEER_CERT_FILE=/old", "ETCD_PEER_KEY_FILE=/old.key", "ETCD_CERT_FILE=/old", "ETCD_KEY_FILE=/old.key"),
			"tls-expired: /old expired on " + time.Now().Add(-time.Hour).UTC().Format(time.DateOnly) + " (ETCD_PEER_CERT_FILE, ETCD_CERT_FILE)", ""},
		{"of another CA, to clients", append(peer, "ETCD_CERT_FILE=/other", "ETCD_KEY_FILE=/other.key", "ETCD_TRUSTED_CA_FILE=/ca", "ETCD_PEER_CERT_FILE=/old", "ETCD_PEER_KEY_FILE=/old.key"),
			"tls-expired: /old expired on " + time.Now().Add(-time.Hour).UTC().Format(time.DateOnly) + " (ETCD_PEER_CERT_FILE)", "ETCD_CERT_FILE: /other does not verify against /ca"},
		{"of another CA, to peers", append(peer, "ETCD_PEER_CERT_FILE=/other", "ETCD_PEER_KEY_FILE=/other.key"),
			"tls-unfit: /other does not verify against /ca: x509: certificate signed by unknown authority", ""},
	} {
		in := Input{Host: host, Patient: true, Watching: true, Environ: append(tc.environ, "ETCD_DATA_DIR=/d"),
			ReadDir: func(string) ([]fs.DirEntry, error) { return []fs.DirEntry{wal{}}, nil }}
		l, err := Load(in)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if len(l.Notices) > 0 && strings.Contains(strings.Join(l.Notices, ""), "/other") {
			t.Errorf("%s: said once for all: %q", tc.name, l.Notices)
		}
		seen := l.LookAtTLS(nil)
		var got []string
		for _, c := range seen.Conditions {
			got = append(got, c.ID+": "+c.Text)
		}
		if text := strings.Join(got, "\n"); !strings.HasPrefix(text, tc.want) || len(got) != 1 {
			t.Errorf("%s: %s\nwant %s", tc.name, text, tc.want)
		}
		if text := strings.Join(seen.Notices, "\n"); !strings.HasPrefix(text, tc.notice) {
			t.Errorf("%s: %s\nwant %s", tc.name, text, tc.notice)
		}
	}
}

// TestNamesWhileRunning: a certificate is held against the names that were found.
func TestNamesWhileRunning(t *testing.T) {
	in := Input{Host: goodHost(), Watching: true, Environ: []string{"ETCD_PEER_CERT_FILE=/crt", "ETCD_PEER_KEY_FILE=/key", "ETCD_DATA_DIR=/d", "ETCD_NAME=a",
		"ETCD_INITIAL_CLUSTER=a=https://192.168.122.9:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380"},
		ReadDir: func(string) ([]fs.DirEntry, error) { return []fs.DirEntry{wal{}}, nil }}
	l, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Resolve(t.Context(), func(_ context.Context, req netdetect.Request) (netdetect.Result, error) {
		return netdetect.Result{Addr: netip.MustParseAddr("192.168.122.9"), Name: "a", Member: &req.Cluster[0]}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := l.LookAtTLS(r)
	if len(seen.Conditions) != 1 || seen.Conditions[0].ID != "tls-unfit" || !strings.HasPrefix(seen.Conditions[0].Text, "/crt is not for 192.168.122.9") {
		t.Errorf("%+v", seen)
	}
	if strings.Contains(strings.Join(r.Notices, ""), "/crt") {
		t.Errorf("said once for all, too: %q", r.Notices)
	}
}

// TestNamesWithData: a member with data is dialed where the data says, and listens
// there; the list may have another address, or a mistyped one.
func TestNamesWithData(t *testing.T) {
	for listens, want := range map[string]string{"192.168.122.5": "", "192.168.122.9": "/crt is not for 192.168.122.9"} {
		in := Input{Host: goodHost(), Watching: true, Environ: []string{"ETCD_PEER_CERT_FILE=/crt", "ETCD_PEER_KEY_FILE=/key", "ETCD_DATA_DIR=/d", "ETCD_NAME=a",
			"ETCD_INITIAL_CLUSTER=a=https://192.168.122.66:2380,b=https://10.0.0.2:2380,c=https://10.0.0.3:2380"},
			ReadDir: func(string) ([]fs.DirEntry, error) { return []fs.DirEntry{wal{}}, nil }}
		l, err := Load(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Resolve(t.Context(), func(_ context.Context, req netdetect.Request) (netdetect.Result, error) {
			return netdetect.Result{Addr: netip.MustParseAddr(listens), Name: "a", Member: &req.Cluster[0]}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, c := range l.LookAtTLS(r).Conditions {
			got += c.Text
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", listens, got, want)
		}
	}
}
