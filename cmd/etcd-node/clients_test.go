package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// logIsEtcds: every line is one whole JSON object with etcd's fields, and none
// is an error.
func (n *node) logIsEtcds() {
	n.t.Helper()
	for _, line := range n.Lines() {
		var entry struct{ Level, Msg, Caller, Ts string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			n.t.Errorf("not JSON: %s", line)
		}
		if entry.Msg == "failed to update storage version" {
			continue // etcd's own, where its monitor is quicker than its first entry
		}
		if entry.Level == "error" || entry.Level == "fatal" || entry.Msg == "" || entry.Caller == "" || entry.Ts == "" {
			n.t.Errorf("line %s", line)
		}
	}
}

// dir is where the sockets are: a client in another directory needs the path.
func (s *site) socket(u *url.URL) string { return filepath.Join(s.Dir, u.Host) }

func (s *site) parse(raw string) *url.URL {
	s.t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// clientWorks: Go's client writes and reads through a URL.
func (s *site) clientWorks(endpoint, user string) {
	s.t.Helper()
	u := s.parse(endpoint)
	config := clientv3.Config{Endpoints: []string{endpoint}, TLS: s.tls, DialTimeout: patience, Logger: zap.NewNop()}
	if strings.HasPrefix(u.Scheme, "unix") {
		config.Endpoints[0] = u.Scheme + "://" + s.socket(u)
	}
	if !strings.HasSuffix(u.Scheme, "s") {
		config.TLS = nil
	}
	config.Username, config.Password, _ = strings.Cut(user, ":")
	cli, err := clientv3.New(config)
	if err != nil {
		s.t.Fatalf("%s: %v", endpoint, err)
	}
	defer cli.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if _, err := cli.Put(ctx, "k", endpoint); err != nil {
		s.t.Fatalf("put through %s: %v", endpoint, err)
	}
	if r, err := cli.Get(ctx, "k"); err != nil || len(r.Kvs) != 1 || string(r.Kvs[0].Value) != endpoint {
		s.t.Errorf("get through %s: %v, %v", endpoint, r, err)
	}
}

// etcdctl runs etcd's command line client in the daemon's directory.
func (s *site) etcdctl(endpoint, user string, args ...string) string {
	s.t.Helper()
	args = append([]string{"--endpoints=" + endpoint, "--dial-timeout=60s", "--command-timeout=60s"}, args...)
	if strings.HasSuffix(s.parse(endpoint).Scheme, "s") {
		args = append(args, "--insecure-skip-tls-verify", "--insecure-transport=false", s.fill("--cert={crt}"), s.fill("--key={key}"))
	}
	if user != "" {
		args = append(args, "--user="+user)
	}
	cmd := program(s.t, "etcdctl", args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = s.Dir, &stderr, []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%q: %v: %s", args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func (s *site) etcdctlWorks(endpoint, user string) {
	s.t.Helper()
	if out := s.etcdctl(endpoint, user, "put", "k", "etcdctl"); out != "OK" {
		s.t.Errorf("etcdctl put: %s", out)
	}
	if out := s.etcdctl(endpoint, user, "get", "k", "--print-value-only"); out != "etcdctl" {
		s.t.Errorf("etcdctl get: %s", out)
	}
}

// enableAuth makes a root user and has everybody say who they are.
func (s *site) enableAuth(user string) {
	s.t.Helper()
	endpoint := s.fill("http://127.0.0.1:{1}")
	s.etcdctl(endpoint, "", "user", "add", user)
	s.etcdctl(endpoint, "", "user", "grant-role", "root", "root")
	s.etcdctl(endpoint, "", "auth", "enable")
}

// fetch is curl: GET, or POST of a JSON body, over TCP or a unix socket.
func (s *site) fetch(raw string, header http.Header, body any) string {
	s.t.Helper()
	u := s.parse(raw)
	dial := &http.Transport{TLSClientConfig: s.tls}
	defer dial.CloseIdleConnections()
	if strings.HasPrefix(u.Scheme, "unix") {
		path := s.socket(u)
		dial.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		u.Scheme, u.Host = strings.Replace(u.Scheme, "unix", "http", 1), "localhost"
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, u.String(), nil)
	if body != nil {
		data, _ := json.Marshal(body)
		req, err = http.NewRequestWithContext(s.t.Context(), http.MethodPost, u.String(), bytes.NewReader(data))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := (&http.Client{Transport: dial, Timeout: patience}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v: %s", raw, resp.Status, err, answer)
	}
	return string(answer)
}

// gatewayWorks: the JSON gateway writes and reads, and the health page is there.
func (s *site) gatewayWorks(base, user string) {
	s.t.Helper()
	var header http.Header
	if name, password, ok := strings.Cut(user, ":"); ok {
		var auth struct{ Token string }
		if err := json.Unmarshal([]byte(s.fetch(base+"/v3/auth/authenticate", nil, map[string]string{"name": name, "password": password})), &auth); err != nil {
			s.t.Fatal(err)
		}
		header = http.Header{"Authorization": {auth.Token}}
	}
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	s.fetch(base+"/v3/kv/put", header, map[string]string{"key": b64("k"), "value": b64("gateway")})
	if got := s.fetch(base+"/v3/kv/range", header, map[string]string{"key": b64("k")}); !strings.Contains(got, fmt.Sprintf("%q:%q", "value", b64("gateway"))) {
		s.t.Errorf("the gateway answers %s", got)
	}
	if got := s.fetch(base+"/health", nil, nil); got != `{"health":"true","reason":""}` {
		s.t.Errorf("/health: %s", got)
	}
}
