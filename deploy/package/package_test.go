// Package packages holds what `make package` makes to its promises; this directory has
// no Go code of its own.
package packages

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// run runs a command of the project's top directory.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// needs is the path of a program that a machine of developers may lack, and CI not.
func needs(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("needs %s (apt install %s)", program, pkg)
	} else if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPackages makes all for this machine's architecture twice: with the same bytes.
// lintian finds no error in the deb, and rpm reads the rpm.
func TestPackages(t *testing.T) {
	lintian, rpm := needs(t, "lintian", "lintian"), needs(t, "rpm", "rpm")
	const version = "0.0.1~test"
	var made []map[string][32]byte
	dist := filepath.Join("..", "..", "dist")
	for range 2 {
		run(t, "make", "package-of", "ARCH="+runtime.GOARCH, "PACKAGE_VERSION="+version)
		files, err := filepath.Glob(filepath.Join(dist, "*0.0.1~test*"))
		if err != nil {
			t.Fatal(err)
		}
		sums := map[string][32]byte{}
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sums[path] = sha256.Sum256(raw)
			t.Cleanup(func() { os.Remove(path) })
		}
		made = append(made, sums)
	}
	if len(made[0]) != 4 || len(made[1]) != 4 {
		t.Fatalf("made %v", made)
	}
	var deb, rpmFile string
	for path, sum := range made[0] {
		if made[1][path] != sum {
			t.Errorf("%s is another one each time", path)
		}
		switch filepath.Ext(path) {
		case ".deb":
			deb = path
		case ".rpm":
			rpmFile = path
		case ".json":
			raw, _ := os.ReadFile(path)
			var bill struct{ Components []struct{ Name string } }
			if err := json.Unmarshal(raw, &bill); err != nil || !slices.ContainsFunc(bill.Components, func(c struct{ Name string }) bool { return c.Name == "go.etcd.io/etcd/server/v3" }) {
				t.Errorf("%v: no etcd in %s", err, path)
			}
		}
	}
	if out, err := exec.Command(lintian, "--fail-on", "error", deb).CombinedOutput(); err != nil || bytes.Contains(out, []byte("E: ")) {
		t.Errorf("lintian: %v\n%s", err, out)
	}
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	rpmKeeps(t, rpm, rpmFile)
	files := ask(rpm, "-qpl", rpmFile)
	for _, want := range []string{"/usr/bin/etcd-node", "/usr/bin/etcdctl", "/usr/bin/etcdutl", "/usr/lib/systemd/system/etcd.service", "/usr/lib/systemd/system/etcd@.service", "/usr/lib/sysusers.d/etcd.conf",
		"/etc/default/etcd", "/usr/share/man/man8/etcd-node.8.gz", "/usr/share/bash-completion/completions/etcd-node", "/usr/share/zsh/site-functions/_etcd-node",
		"/usr/lib/firewalld/services/etcd.xml", "/usr/share/etcd-node/monitoring/etcd-node.rules.yml"} {
		if !strings.Contains(files, want+"\n") {
			t.Errorf("the rpm lacks %s", want)
		}
	}
	if config := ask(rpm, "-qp", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", rpmFile); !strings.Contains(config, "/etc/default/etcd cn\n") {
		t.Errorf("rpm would overwrite the settings: %s", config)
	}
	if control := ask("dpkg-deb", "-f", deb, "Conflicts", "Provides", "Replaces", "Version"); !strings.Contains(control, "Conflicts: etcd-server, etcd-client") || !strings.Contains(control, "Provides: etcd-server, etcd-client") || !strings.Contains(control, "Version: "+version+"\n") || strings.Contains(control, "Replaces:") {
		t.Error(control)
	}
	if contents := ask("dpkg-deb", "-c", deb); strings.Contains(contents, "./etc/default/etcd\n") || !strings.Contains(contents, "./etc/ufw/applications.d/etcd-node\n") {
		t.Error(contents)
	}
}

// rpm installs, keeps what the operator wrote, and takes only its own away. Its scripts
// are no part of this: there is no systemd below that root.
func rpmKeeps(t *testing.T, rpm, file string) {
	t.Helper()
	root := t.TempDir()
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(rpm, append([]string{"--root", root, "--nodeps", "--noscripts"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("rpm %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	do("-i", file)
	settings := filepath.Join(root, "etc/default/etcd")
	if err := os.WriteFile(settings, []byte("ETCD_NAME=mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	do("-U", "--replacepkgs", file)
	if raw, err := os.ReadFile(settings); err != nil || string(raw) != "ETCD_NAME=mine\n" {
		t.Errorf("after an upgrade: %q, %v", raw, err)
	}
	do("-e", "etcd-node")
	if raw, err := os.ReadFile(settings + ".rpmsave"); err != nil || string(raw) != "ETCD_NAME=mine\n" {
		t.Errorf("after the removal: %q, %v", raw, err)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/etcd-node")); err == nil {
		t.Error("the binary is left")
	}
}

// What dpkg and rpm run is a script that the shell can read.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("[dr][ep][bm]/*")
	if err != nil || len(scripts) != 8 {
		t.Fatalf("%q, %v", scripts, err)
	}
	for _, script := range scripts {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

// Without tags there is a version that sorts before the first release.
func TestVersion(t *testing.T) {
	v := strings.TrimSpace(run(t, "deploy/package/version"))
	if v == "" || strings.HasPrefix(v, "v") || strings.ContainsAny(v, " _/") {
		t.Errorf("%q", v)
	}
	if path, err := exec.LookPath("dpkg"); err == nil {
		if out, err := exec.Command(path, "--compare-versions", v, "gt", "0.0.0~1").CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", v, err, out)
		}
	}
}
