package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is secret goes, whatever it stands in, and what is not stays.
func TestScrub(t *testing.T) {
	key := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIHIDDENhiddenHIDDEN\n-----END EC PRIVATE KEY-----"
	for _, hidden := range []string{
		"ETCD_DISCOVERY_PASSWORD=hidden", `ETCD_DISCOVERY_PASSWORD="hid den hidden"`, "ETCD_DISCOVERY_USER=me:hidden", "ETCDCTL_USER=root:hidden",
		"ETCDCTL_PASSWORD='hidden'", "--discovery-password hidden", "--discovery-password=hidden", "--user=root:hidden", "--user root:hidden",
		`{"password":"hidden"}`, `{"discovery-user":"me:hidden"}`, `{\"password\":\"hidden\"}`, "password: hidden", "Authorization: Bearer hidden", "authorization: Basic hidden",
		"A_PASSWORD=a,hidden", "B_PASSWORD=b hidden", "B_PASSWORD=b;hidden", "DB_PASS=hidden", "ENCRYPTION_KEY=hidden", "PRIVATE_KEY=hidden", "Cookie: a=b; hidden", "me:hidden@proxy",
		"Authorization: Negotiate hidden", "ETCDCTL_USER=root:abc,hidden", "--discovery-password=a,hidden", "PASSWORD=a \\\nhidden", strings.Repeat("hidden", 12),
		"curl -u root:hidden http://x", "mysql -phidden", "etcdctl --pass hidden", "db_pwd=hidden", "pass hidden", "ETCD_PASWORD=hidden", "PWD: hidden",
		"http://me:hidden@192.168.122.5:2379/", "https://hidden@h/", "AWS_SECRET_ACCESS_KEY=hidden", "api_key=hidden", "API-KEY: hidden", "TOKEN=hidden", "X_SECRET=hidden", "passphrase = hidden",
		key, strings.ReplaceAll(key, "\n", `\n`), key[:50], "-----BEGIN PRIVATE KEY-----\nhidden", "-----BEGIN RSA PRIVATE KEY-----\nhidden\n",
		"token eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiaGlkZGVuIn0.hidden", "jwt=eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiaGlkZGVuIn0.hidden",
	} {
		if got := Scrub("before\n" + hidden + "\n"); strings.Contains(strings.ToLower(got), "hidden") || !strings.HasPrefix(got, "before\n") {
			t.Errorf("%q: %q", hidden, got)
		}
	}
	for _, plain := range []string{
		"ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380", "ETCD_INITIAL_CLUSTER_TOKEN=my-etcd", "--initial-cluster-token=my-etcd", "ETCD_AUTH_TOKEN=simple",
		"auth-token-ttl: 300", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "User=etcd", "user: etcd", "root@example.com", "ETCD_CERT_FILE=/etc/etcd/etcd.crt",
		"ETCD_KEY_FILE=/etc/etcd/etcd.key", "serving: follower of etcd-2, 3 of 3 members", "systemd[1]: Started etcd.service - etcd key-value store.",
	} {
		if got := Scrub(plain); got != plain {
			t.Errorf("%q: %q", plain, got)
		}
	}
}

// Of an env file the names stay, and the values of etcd's own; of a unit nothing that it
// puts into the environment.
func TestEnvAndUnit(t *testing.T) {
	if got := Env("ETCD_PASWORD=hidden\nETCD_MYAPP=hidden\n"); strings.Contains(got, "hidden") {
		t.Errorf("of no setting of etcd's: %q", got)
	}
	if got := Unit("# /etc/systemd/system/etcd.service.d/10-secret.conf\n[Service]\n# the pw is hidden\n"); got != "# /etc/systemd/system/etcd.service.d/10-secret.conf\n[Service]\n# (redacted)\n" {
		t.Errorf("%q", got)
	}
	if got := Scrub("1 a secret\n2 b\nAKIAIOSFODNN7EXAMPLE\n/10-secret.conf\n[Service]\n"); got != "1 a secret\n2 b\n(redacted)\n/10-secret.conf\n[Service]\n" {
		t.Errorf("%q", got)
	}
	env := "# x\nETCD_NAME=a\nETCDCTL_USER=root:hidden\nWHATEVER=hidden\nETCD_DISCOVERY_PASSWORD=\"hid den\"\nGOGC=hidden \\\nhidden\n"
	want := "2: ETCD_NAME=a\n3: ETCDCTL_USER=(redacted)\n4: WHATEVER=(redacted)\n5: ETCD_DISCOVERY_PASSWORD=(redacted)\n6: GOGC=(redacted)\n"
	if got := Env(env); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Env("A=\"hidden\n"); strings.Contains(got, "hidden") {
		t.Errorf("one that cannot be read: %q", got)
	}
	unit := "[Service]\nEnvironment=A=hidden \\\n  B=hidden\nUser=etcd\nEnvironment=\"X=hid den\"\n"
	if got, want := Unit(unit), "[Service]\nEnvironment=(redacted)\nUser=etcd\nEnvironment=(redacted)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Lines of the log lose what can hold keys and values, and no more.
func TestLog(t *testing.T) {
	for line, want := range map[string]string{
		`Nov 27 etcd-1 systemd[1]: Started etcd.service.`: `Nov 27 etcd-1 systemd[1]: Started etcd.service.`,
		`t etcd-node[1]: {"level":"warn","ts":"x","caller":"txn/util.go:93","msg":"apply request took too long","took":"1s","request":"header:<ID:1 > put:<key:\"hidden\" >","error":"hidden","size":7}`: `t etcd-node[1]: {"level":"warn","ts":"x","caller":"txn/util.go:93","msg":"apply request took too long","error":"(redacted)","request":"(redacted)","size":7,"took":"(redacted)"}`,
		`{"level":"warn","ts":"x","caller":"rafthttp/probing_status.go:68","msg":"prober detected unhealthy status","remote-peer-id":"1","error":"dial tcp: refused"}`:                                   `{"level":"warn","ts":"x","caller":"rafthttp/probing_status.go:68","msg":"prober detected unhealthy status","error":"dial tcp: refused","remote-peer-id":"1"}`,
		`{"level":"debug","ts":"x","logger":"bbolt","caller":"backend/batch_tx.go:163","msg":"Putting key \"hidden\""}`:                                                                                  `{"level":"debug","ts":"x","logger":"bbolt","caller":"backend/batch_tx.go:163","msg":"(redacted)"}`,
		`{"level":"debug","caller":"v3rpc/interceptor.go:187","msg":"request stats","request content":"key:\"hidden\" "}`:                                                                                `{"level":"debug","caller":"v3rpc/interceptor.go:187","msg":"request stats","request content":"(redacted)"}`,
		`x {"level":"warn","msg":"cut off, key hidden`: `x (redacted)`,
	} {
		if got := Log(line + "\n"); got != want+"\n" {
			t.Errorf("%s\n%s\nwant\n%s", line, got, want)
		}
	}
}

// A part that fails, is too long, or hangs costs no other, and is in the manifest.
func TestWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		release := make(chan struct{})
		defer close(release)
		_, err := Write(t.Context(), &out, "d", time.Unix(0, 0), []Part{
			{"good", func(context.Context) (string, error) { return "PASSWORD=hidden\n", nil }},
			{"bad", func(context.Context) (string, error) { return "", errors.New("no such thing; password=hidden") }},
			{"half", func(context.Context) (string, error) { return "TOKEN=hidden\n", errors.New("exit status 1") }},
			{"long", func(context.Context) (string, error) { return strings.Repeat("0123456789\n", partLimit/10), nil }},
			{"slow", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }},
			{"hangs", func(context.Context) (string, error) { <-release; return "", nil }},
		})
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		zip, err := gzip.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		for archive := tar.NewReader(zip); ; {
			h, err := archive.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(archive)
			files[h.Name] = string(text)
			if h.Mode != 0o600 {
				t.Errorf("%s has mode %o", h.Name, h.Mode)
			}
		}
		m := files["d/MANIFEST.txt"]
		for _, want := range []string{"good                         20 bytes\n", "bad                          missing: no such thing; password=(redacted)\n", "half                         17 bytes, and it failed: exit status 1\n", "long                         the last ", "slow                         missing: context deadline", "hangs                        missing: no answer within 10s"} {
			if !strings.Contains(m, want) {
				t.Errorf("no %q in\n%s", want, m)
			}
		}
		if len(files) != 4 || files["d/half"] != "TOKEN=(redacted)\n" || files["d/good"] != "PASSWORD=(redacted)\n" || len(files["d/long"]) > partLimit || !strings.HasPrefix(files["d/long"], "0123456789\n") {
			t.Errorf("%d files, %q", len(files), fmt.Sprint(files["d/good"]))
		}
	})
}

// Many large parts do not make a bundle that nobody can send.
func TestLimit(t *testing.T) {
	before := limit
	t.Cleanup(func() { limit = before })
	limit = 25
	var out bytes.Buffer
	ten := func(context.Context) (string, error) { return "0123456789", nil }
	if _, err := Write(t.Context(), &out, "d", time.Unix(0, 0), []Part{{"a", ten}, {"b", ten}, {"c", ten}}); err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zip)
	if err != nil || !bytes.Contains(raw, []byte("missing: the bundle would be larger than 25 bytes")) || bytes.Count(raw, []byte("0123456789")) != 2 {
		t.Errorf("%v: %s", err, raw)
	}
}
