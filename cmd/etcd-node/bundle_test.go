package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/pki"
)

// Secrets are planted wherever a node has them, and none is in the bundle, nor anything
// that clients have stored.
func TestBundle(t *testing.T) {
	t.Parallel()
	n := single(t)
	leaf := pki.Issue(nil, nil)
	n.write("server.crt", leaf.Cert)
	n.write("server.key", leaf.Key)
	n.Client = strings.Replace(n.Client, "http://", "https://", 1)
	n.envFile("ETCD_CERT_FILE="+filepath.Join(n.Dir, "server.crt"), "ETCD_KEY_FILE="+filepath.Join(n.Dir, "server.key"),
		"ETCD_LOG_LEVEL=debug", "ETCDCTL_USER=root:planted-1", "ETCD_DISCOVERY_PASSWORD=planted-2", "BACKUP_SECRET_KEY=planted-3",
		"HTTPS_PROXY=http://me:planted-4@proxy.example:3128", "API_TOKEN=planted-5",
		"A_PASSWORD=a,planted-6", "B_PASSWORD=b planted-7", "DB_PASS=planted-8", "ENCRYPTION_KEY=planted-9", "PROXY=me:planted-10@proxy", "WHATEVER=planted-11")
	n.up()
	etcdctl := program(t, "etcd-node", "ctl", "--endpoints="+n.Client, "--insecure-skip-tls-verify", "put", "planted-key", "planted-value")
	etcdctl.Env = n.Environ()
	if out, err := etcdctl.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := program(t, "etcd-node", "bundle", "-o", "b.tar.gz")
	cmd.Env, cmd.Dir = append(n.Environ(), n.env...), n.Dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "look into it before you send it away") {
		t.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(n.Dir, "b.tar.gz")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() > 8<<20 {
		t.Errorf("%v, %v", info, err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", path, "-C", dir, "--strip-components=1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			text, err := os.ReadFile(path)
			all[strings.TrimPrefix(path, dir+"/")] = string(text)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	keyLine := strings.Split(string(leaf.Key), "\n")[1]
	for name, text := range all {
		for _, secret := range []string{"planted-", keyLine} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s has %q: …%s…", name, secret, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
	for name, want := range map[string]string{
		"MANIFEST.txt": "status.json", "status.txt": "a: serving: leader", "status.json": `"state"`, "versions.json": `"etcd":`,
		"metrics-node.txt": "etcd_node_state", "data-dir.txt": "member/snap/db", "certificates.txt": "subject CN=etcd", "config.txt": "snapshot-count",
		"machine/proc_meminfo": "MemTotal", "check.txt": "ports", "explain.txt": "", "member/limits": "Max open files",
	} {
		if name == "config.txt" {
			want = "log-level"
		}
		if text, there := all[name]; !there || !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%s\n%s", name, want, text, all["MANIFEST.txt"])
		}
	}
	env := ""
	for name, text := range all {
		if strings.HasPrefix(name, "env/") {
			env = text
		}
	}
	if !strings.Contains(env, "ETCD_INITIAL_CLUSTER=") || !strings.Contains(env, "ETCD_DISCOVERY_PASSWORD=(redacted)") {
		t.Errorf("the env file: %q", env)
	}
	// It writes over nothing.
	cmd = program(t, "etcd-node", "bundle", "-o", "b.tar.gz")
	cmd.Env, cmd.Dir = n.Environ(), n.Dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "file exists") {
		t.Errorf("%v: %s", err, out)
	}
}
