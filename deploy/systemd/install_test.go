// Package systemd_test holds `make install` and `make uninstall` to their
// promises; this directory has no Go code of its own.
package systemd_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// makefile runs make targets of this project.
func makefile(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-C", "../.."}, args...)...)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tree lists the files below dir with their modes.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			fmt.Fprintf(&b, "%o %s\n", info.Mode(), strings.TrimPrefix(path, dir))
			return nil
		}
		to, err := os.Readlink(path)
		fmt.Fprintf(&b, "%s -> %s\n", strings.TrimPrefix(path, dir), to)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestInstall(t *testing.T) {
	makefile(t, "build")
	for _, tc := range []struct{ prefix, want string }{
		{"/usr/local", `644 /etc/default/etcd
644 /etc/firewalld/services/etcd.xml
755 /usr/local/bin/etcd-node
/usr/local/bin/etcdctl -> etcd-node
/usr/local/bin/etcdutl -> etcd-node
644 /usr/local/lib/systemd/system/etcd.service
644 /usr/local/lib/systemd/system/etcd@.service
644 /usr/local/lib/sysusers.d/etcd.conf
644 /usr/local/share/bash-completion/completions/etcd-node
644 /usr/local/share/etcd-node/automation/ansible.yml
644 /usr/local/share/etcd-node/automation/cloud-init.yml
644 /usr/local/share/etcd-node/automation/puppet.pp
644 /usr/local/share/etcd-node/etcd.default
644 /usr/local/share/etcd-node/monitoring/README.md
644 /usr/local/share/etcd-node/monitoring/dashboard.json
644 /usr/local/share/etcd-node/monitoring/etcd-node.rules.yml
644 /usr/local/share/etcd-node/monitoring/etcd-node.test.yml
644 /usr/local/share/fish/vendor_completions.d/etcd-node.fish
644 /usr/local/share/man/man8/etcd-node-adopt.8
644 /usr/local/share/man/man8/etcd-node-bundle.8
644 /usr/local/share/man/man8/etcd-node-can-stop.8
644 /usr/local/share/man/man8/etcd-node-check.8
644 /usr/local/share/man/man8/etcd-node-config.8
644 /usr/local/share/man/man8/etcd-node-explain.8
644 /usr/local/share/man/man8/etcd-node-forget.8
644 /usr/local/share/man/man8/etcd-node-history.8
644 /usr/local/share/man/man8/etcd-node-reload.8
644 /usr/local/share/man/man8/etcd-node-restart.8
644 /usr/local/share/man/man8/etcd-node-status.8
644 /usr/local/share/man/man8/etcd-node.8
644 /usr/local/share/zsh/site-functions/_etcd-node
`},
		{"/usr", `644 /etc/default/etcd
755 /usr/bin/etcd-node
/usr/bin/etcdctl -> etcd-node
/usr/bin/etcdutl -> etcd-node
644 /usr/lib/firewalld/services/etcd.xml
644 /usr/lib/systemd/system/etcd.service
644 /usr/lib/systemd/system/etcd@.service
644 /usr/lib/sysusers.d/etcd.conf
644 /usr/share/bash-completion/completions/etcd-node
644 /usr/share/etcd-node/automation/ansible.yml
644 /usr/share/etcd-node/automation/cloud-init.yml
644 /usr/share/etcd-node/automation/puppet.pp
644 /usr/share/etcd-node/etcd.default
644 /usr/share/etcd-node/monitoring/README.md
644 /usr/share/etcd-node/monitoring/dashboard.json
644 /usr/share/etcd-node/monitoring/etcd-node.rules.yml
644 /usr/share/etcd-node/monitoring/etcd-node.test.yml
644 /usr/share/fish/vendor_completions.d/etcd-node.fish
644 /usr/share/man/man8/etcd-node-adopt.8
644 /usr/share/man/man8/etcd-node-bundle.8
644 /usr/share/man/man8/etcd-node-can-stop.8
644 /usr/share/man/man8/etcd-node-check.8
644 /usr/share/man/man8/etcd-node-config.8
644 /usr/share/man/man8/etcd-node-explain.8
644 /usr/share/man/man8/etcd-node-forget.8
644 /usr/share/man/man8/etcd-node-history.8
644 /usr/share/man/man8/etcd-node-reload.8
644 /usr/share/man/man8/etcd-node-restart.8
644 /usr/share/man/man8/etcd-node-status.8
644 /usr/share/man/man8/etcd-node.8
644 /usr/share/zsh/vendor-completions/_etcd-node
`},
		{"/opt/etcd", `644 /etc/default/etcd
644 /etc/firewalld/services/etcd.xml
644 /etc/systemd/system/etcd.service
644 /etc/systemd/system/etcd@.service
644 /etc/sysusers.d/etcd.conf
755 /opt/etcd/bin/etcd-node
/opt/etcd/bin/etcdctl -> etcd-node
/opt/etcd/bin/etcdutl -> etcd-node
644 /opt/etcd/share/bash-completion/completions/etcd-node
644 /opt/etcd/share/etcd-node/automation/ansible.yml
644 /opt/etcd/share/etcd-node/automation/cloud-init.yml
644 /opt/etcd/share/etcd-node/automation/puppet.pp
644 /opt/etcd/share/etcd-node/etcd.default
644 /opt/etcd/share/etcd-node/monitoring/README.md
644 /opt/etcd/share/etcd-node/monitoring/dashboard.json
644 /opt/etcd/share/etcd-node/monitoring/etcd-node.rules.yml
644 /opt/etcd/share/etcd-node/monitoring/etcd-node.test.yml
644 /opt/etcd/share/fish/vendor_completions.d/etcd-node.fish
644 /opt/etcd/share/man/man8/etcd-node-adopt.8
644 /opt/etcd/share/man/man8/etcd-node-bundle.8
644 /opt/etcd/share/man/man8/etcd-node-can-stop.8
644 /opt/etcd/share/man/man8/etcd-node-check.8
644 /opt/etcd/share/man/man8/etcd-node-config.8
644 /opt/etcd/share/man/man8/etcd-node-explain.8
644 /opt/etcd/share/man/man8/etcd-node-forget.8
644 /opt/etcd/share/man/man8/etcd-node-history.8
644 /opt/etcd/share/man/man8/etcd-node-reload.8
644 /opt/etcd/share/man/man8/etcd-node-restart.8
644 /opt/etcd/share/man/man8/etcd-node-status.8
644 /opt/etcd/share/man/man8/etcd-node.8
644 /opt/etcd/share/zsh/site-functions/_etcd-node
`},
	} {
		t.Run(tc.prefix, func(t *testing.T) {
			dest := t.TempDir()
			vars := []string{"DESTDIR=" + dest, "PREFIX=" + tc.prefix}
			makefile(t, append(vars, "install")...)
			if got := tree(t, dest); got != tc.want {
				t.Errorf("installed:\n%swant:\n%s", got, tc.want)
			}
			for line := range strings.Lines(tc.want) {
				if _, path, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasSuffix(path, ".service") {
					for _, want := range []string{"\nExecStart=" + tc.prefix + "/bin/etcd-node\n", "\nExecReload=" + tc.prefix + "/bin/etcd-node reload\n"} {
						if !strings.Contains(read(t, dest+path), want) {
							t.Errorf("the unit does not have %q", want)
						}
					}
				}
			}
			makefile(t, append(vars, "uninstall")...)
			if got := tree(t, dest); got != "" {
				t.Errorf("left behind:\n%s", got)
			}
		})
	}
}

// The tools of a package stay, and so does one of the operator's.
func TestInstallBesideTools(t *testing.T) {
	makefile(t, "build")
	dest := t.TempDir()
	bin := dest + "/usr/bin/"
	if err := errors.Join(os.MkdirAll(bin, 0o700), os.WriteFile(bin+"etcdctl", []byte("stock"), 0o700), os.Symlink("/nowhere/etcdutl", bin+"etcdutl")); err != nil {
		t.Fatal(err)
	}
	vars := []string{"DESTDIR=" + dest, "PREFIX=/usr"}
	for _, target := range []string{"install", "uninstall"} {
		makefile(t, append(vars, target)...)
		to, err := os.Readlink(bin + "etcdutl")
		if got := read(t, bin+"etcdctl"); got != "stock" || err != nil || to != "/nowhere/etcdutl" {
			t.Errorf("after %s: etcdctl is %.20q, etcdutl a link to %q, %v", target, got, to, err)
		}
	}
}

// Files for another machine: the next steps are for that one, and say how it
// gets the commented settings.
func TestInstallForAnotherMachine(t *testing.T) {
	makefile(t, "build")
	cmd := exec.Command("make", "-C", "../..", "--no-print-directory", "-s", "install", "DESTDIR="+t.TempDir(), "PREFIX=/usr")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for _, want := range []string{"copy what is in ", " to each machine", "test -e /etc/default/etcd || cp /usr/share/etcd-node/etcd.default /etc/default/etcd"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make install DESTDIR= does not say %q:\n%s", want, out)
		}
	}
}

// The template is the unit under other names, so that what is decided for one
// holds for the other.
func TestTemplate(t *testing.T) {
	of := func(path string) string {
		_, text, _ := strings.Cut(read(t, path), "\n[Unit]\n")
		return text
	}
	want := strings.NewReplacer(
		"key-value store\n", "key-value store (%i)\n",
		"EnvironmentFile=-/etc/default/etcd\n", "EnvironmentFile=-/etc/default/etcd@%i\n",
		"directory is /var/lib/etcd. It", "directory is /var/lib/etcd@NAME. It",
		"/var/lib/etcd-node remembers", "/var/lib/etcd-node@NAME remembers",
		"StateDirectory=etcd etcd-node\n", "StateDirectory=etcd@%i etcd-node@%i\n",
		"LogsDirectory=etcd-node\n", "LogsDirectory=etcd-node@%i\n",
		"RuntimeDirectory=etcd\n", "RuntimeDirectory=etcd@%i\n",
		"security etcd.service", "security etcd@NAME.service",
	).Replace(of("etcd.service"))
	const assert = "# Without settings of its own an instance would take the ports of the first one.\nAssertPathExists=/etc/default/etcd@%i\n"
	got := of("etcd@.service")
	if !strings.Contains(got, assert) || strings.Replace(got, assert, "", 1) != want {
		t.Errorf("etcd@.service is not etcd.service under its own names:\n%s", got)
	}
}

// What is the operator's stays the operator's.
func TestInstallKeeps(t *testing.T) {
	makefile(t, "build")
	dest := t.TempDir()
	write := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(dest+path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dest+path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const settings, db = "/etc/default/etcd", "/var/lib/etcd/member/snap/db"
	write(settings, "ETCD_NAME=mine\n")
	write(db, "everything I have")
	// A distribution's own unit, which the one in /usr/local outranks.
	write("/usr/lib/systemd/system/etcd.service", "theirs")

	makefile(t, "install", "DESTDIR="+dest)
	makefile(t, "install", "DESTDIR="+dest) // an upgrade
	if got := read(t, dest+settings); got != "ETCD_NAME=mine\n" {
		t.Errorf("install wrote over %s: %q", settings, got)
	}
	makefile(t, "uninstall", "DESTDIR="+dest)
	const want = `600 /etc/default/etcd
600 /usr/lib/systemd/system/etcd.service
600 /var/lib/etcd/member/snap/db
`
	if got := tree(t, dest); got != want {
		t.Errorf("after uninstall:\n%swant:\n%s", got, want)
	}
	if got := read(t, dest+"/usr/lib/systemd/system/etcd.service"); got != "theirs" {
		t.Errorf("the distribution's unit is %q", got)
	}
}

// Under the name etcd for a unit that is there: neither unit nor env file, and
// nothing that was called etcd before is lost.
func TestInstallAsEtcd(t *testing.T) {
	makefile(t, "build")
	dest := t.TempDir()
	link := dest + "/usr/bin/etcd"
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	vars := []string{"DESTDIR=" + dest, "PREFIX=/usr"}
	for _, target := range []string{"install-as-etcd", "install-as-etcd", "uninstall"} { // the second is an upgrade
		makefile(t, append(vars, target)...)
		to, err := os.Readlink(link)
		if there := to == "etcd-node"; there != (target != "uninstall") {
			t.Errorf("after %s: etcd is a link to %q, %v", target, to, err)
		}
		if files := strings.Count(tree(t, dest), "\n"); target != "uninstall" && files != 2 || target == "uninstall" && files != 0 {
			t.Errorf("after %s: %s", target, tree(t, dest))
		}
	}
	for _, before := range []func() error{
		func() error { return os.WriteFile(link, []byte("stock"), 0o700) },
		func() error { return errors.Join(os.Remove(link), os.Symlink("/opt/etcd-3.6/etcd", link)) },
	} {
		if err := before(); err != nil {
			t.Fatal(err)
		}
		was := tree(t, dest)
		out, err := exec.Command("make", append(vars, "-C", "../..", "install-as-etcd")...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "move it away first") || tree(t, dest) != was {
			t.Errorf("%v: %s\n%s", err, out, tree(t, dest))
		}
		makefile(t, append(vars, "uninstall")...)
		if tree(t, dest) != was {
			t.Errorf("uninstall: %s", tree(t, dest))
		}
	}
}

// Every setting in etcd.default is a comment, so that the installed file
// configures nothing, and every commented one is a line systemd would take.
func TestDefaultsAreComments(t *testing.T) {
	for line := range strings.Lines(read(t, "etcd.default")) {
		switch {
		case !strings.HasPrefix(line, "#") && line != "\n":
			t.Errorf("not a comment: %s", line)
		case strings.HasPrefix(line, "#ETCD") && strings.Contains(line, " #"):
			t.Errorf("the comment would become part of the value: %s", line)
		}
	}
}
