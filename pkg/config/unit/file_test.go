package unit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine writes files below a directory that stands for /.
func machine(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// texts are those of lines.
func texts(lines []Line) (list []string) {
	for _, l := range lines {
		list = append(list, l.Text)
	}
	return list
}

// TestWorkingDirectory: systemd's own is the root directory.
func TestWorkingDirectory(t *testing.T) {
	for lines, want := range map[string]string{
		"":                       "/",
		"WorkingDirectory=/srv":  "/srv",
		"WorkingDirectory=-/srv": "/srv",
		"WorkingDirectory=/srv\nWorkingDirectory=": "/",
		"WorkingDirectory=%S/%p":                   "/var/lib/etcd",
		"WorkingDirectory=~":                       "",
		"WorkingDirectory=%h":                      "",
	} {
		u, ok := read(machine(t, map[string]string{"/etc/systemd/system/etcd.service": "[Service]\n" + lines + "\n"}), "etcd.service")
		if !ok || u.WorkingDirectory != want || u.Unknown != nil {
			t.Errorf("%q: %q, %q", lines, u.WorkingDirectory, u.Unknown)
		}
	}
}

// TestRead: the file that counts, the drop-ins over it, lists that are begun
// anew, and what specifiers stand for.
func TestRead(t *testing.T) {
	root := machine(t, map[string]string{
		"/etc/systemd/system/etcd.service": "[Service]\nEnvironment=ETCD_NAME=a \"ETCD_TOKEN=b c\" 'X=1'\n# no\nEnvironmentFile=-/etc/etcd/common\n" +
			"EnvironmentFile=/etc/etcd/%p.conf\nExecStart=/usr/bin/etcd \\\n  --name=%N\nStateDirectory=etcd etcd-node\n[Install]\nEnvironment=NO=1\n",
		"/usr/lib/systemd/system/etcd.service":             "[Service]\nExecStart=/usr/bin/etcd-node\n",
		"/usr/lib/systemd/system/etcd.service.d/50.conf":   "[Service]\nEnvironmentFile=-/never\n", // /etc has one of this name
		"/etc/systemd/system/etcd.service.d/50.conf":       "[Service]\nEnvironmentFile=/etc/last\nEnvironment=ETCD_NAME=z\n",
		"/run/systemd/system/service.d/10.conf":            "[Service]\nLogsDirectory=all\n",
		"/etc/systemd/system/etcd@.service":                "[Service]\nEnvironmentFile=-/etc/default/etcd@%i\nStateDirectory=etcd@%i etcd-node@%i\nRuntimeDirectory=etcd@%i\nExecStart=/usr/bin/etcd-node\n",
		"/etc/systemd/system/etcd@events.service.d/x.conf": "[Service]\nEnvironmentFile=\nEnvironmentFile=/etc/events\nExecStart=\nExecStart=/opt/etcd-node\n",
	})
	if err := os.Symlink("usr/lib", root+"/lib"); err != nil {
		t.Fatal(err)
	}
	u, ok := read(root, "etcd.service")
	if !ok || u.Path != root+"/etc/systemd/system/etcd.service" || !slices.Equal(u.Hidden, []string{root + "/usr/lib/systemd/system/etcd.service"}) {
		t.Fatalf("%+v, %v", u, ok)
	}
	if want := []EnvFile{{"/etc/etcd/common", true}, {"/etc/etcd/etcd.conf", false}, {"/etc/last", false}}; !slices.Equal(u.EnvFiles, want) {
		t.Errorf("env files %v", u.EnvFiles)
	}
	if got := texts(u.Environment); !slices.Equal(got, []string{"ETCD_NAME=a", "ETCD_TOKEN=b c", "X=1", "ETCD_NAME=z"}) {
		t.Errorf("environment %q", got)
	}
	if got := texts(u.ExecStart); len(got) != 1 || strings.Join(strings.Fields(got[0]), " ") != "/usr/bin/etcd --name=etcd" {
		t.Errorf("commands %q", got)
	}
	if !slices.Equal(u.StateDirectory, []string{"/var/lib/etcd", "/var/lib/etcd-node"}) || !slices.Equal(u.LogsDirectory, []string{"/var/log/all"}) {
		t.Errorf("directories %q, %q", u.StateDirectory, u.LogsDirectory)
	}
	if got := u.Flags(); len(got) != 1 || !strings.Contains(got[0], "etcd.service gives flags on its command line") {
		t.Errorf("flags: %q", got)
	}

	u, ok = read(root, "etcd@events.service")
	if !ok || !slices.Equal(u.EnvFiles, []EnvFile{{"/etc/events", false}}) || !slices.Equal(texts(u.ExecStart), []string{"/opt/etcd-node"}) ||
		!slices.Equal(u.StateDirectory, []string{"/var/lib/etcd@events", "/var/lib/etcd-node@events"}) || u.RuntimeDirectory[0] != "/run/etcd@events" {
		t.Errorf("an instance: %+v", u)
	}
	if u, ok := read(root, "other.service"); ok {
		t.Errorf("found %+v", u)
	}
}

// TestOtherProgram: the unit that counts runs something else than what was
// installed, and hides its unit.
func TestOtherProgram(t *testing.T) {
	root := machine(t, map[string]string{"/usr/bin/etcd": "stock", "/usr/bin/etcd-node": "ours", "/usr/local/bin/etcd": "#!/bin/sh\nexec /usr/bin/etcd-node\n"})
	ours, stock := root+"/usr/bin/etcd-node", root+"/usr/bin/etcd"
	link := root + "/usr/local-etcd"
	if err := os.Symlink(ours, link); err != nil {
		t.Fatal(err)
	}
	for line, other := range map[string]string{
		ours:                  "",
		"-" + ours + " --x":   "",
		link:                  "",
		stock + " --name=a":   stock,
		"@" + stock + " etcd": stock,
		`/bin/bash -c "GOMAXPROCS=$(nproc) ` + stock + ` --name=\"${ETCD_NAME}\""`: stock,
		"/bin/sh -c '" + ours + "'":  "",
		"/bin/sh /opt/start":         "", // it cannot be told
		root + "/usr/local/bin/etcd": "",
		"/usr/bin/podman run etcd":   "/usr/bin/podman",
	} {
		u := File{Name: Name, Path: "/etc/systemd/system/etcd.service", Hidden: []string{"/usr/lib/systemd/system/etcd.service"},
			ExecStart: []Line{{line, "/etc/systemd/system/etcd.service"}}}
		got := strings.Join(u.OtherProgram(ours), "\n")
		if other == "" && got != "" || other != "" && (!strings.HasPrefix(got, "etcd.service runs "+other+", and not this program, ") ||
			!strings.Contains(got, "which hides /usr/lib/systemd/system/etcd.service (") || strings.Contains(got, "(mv /etc/systemd/system/etcd.service ") != (other == stock)) {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// TestInstanceIsPasted: systemd escapes names of instances with backslashes, and
// so would a shell.
func TestInstanceIsPasted(t *testing.T) {
	root := machine(t, map[string]string{"/usr/bin/etcd": "stock", "/usr/bin/etcd-node": "ours"})
	const path = `/etc/systemd/system/etcd@a\x2db.service`
	u := File{Name: `etcd@a\x2db.service`, Path: path, Hidden: []string{"/usr/lib/systemd/system/etcd@.service"}, ExecStart: []Line{{root + "/usr/bin/etcd --name=a", path}}}
	if got := strings.Join(u.OtherProgram(root+"/usr/bin/etcd-node"), "\n"); !strings.Contains(got, "(mv '"+path+"' '"+path+".old', systemctl daemon-reload, systemctl restart 'etcd@a\\x2db')") {
		t.Errorf("%s", got)
	}
	if got := strings.Join(u.Flags(), "\n"); !strings.Contains(got, "(systemctl cat 'etcd@a\\x2db')") {
		t.Errorf("%s", got)
	}
}

func TestOfCgroup(t *testing.T) {
	for text, want := range map[string]string{
		"0::/system.slice/etcd.service\n":                                           "etcd.service",
		"0::/system.slice/system-etcd.slice/etcd@events.service\n":                  "etcd@events.service",
		"0::/system.slice/etcd.service/payload\n":                                   "etcd.service",
		"12:pids:/x.service\n1:name=systemd:/system.slice/etcd.service\n":           "etcd.service",
		"0::/user.slice/user-0.slice/session-1.scope\n":                             "",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/etcd.service\n": "",
		"0::/\n": "",
		"":       "",
	} {
		if got := ofCgroup(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestInstalledUnits: what is installed is read as it is meant.
func TestInstalledUnits(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"etcd.service", "etcd@.service"} {
		data, err := os.ReadFile("../../../deploy/systemd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files["/usr/lib/systemd/system/"+name] = string(data)
	}
	root := machine(t, files)
	for name, want := range map[string]File{
		"etcd.service": {EnvFiles: []EnvFile{{"/etc/default/etcd", true}}, StateDirectory: []string{"/var/lib/etcd", "/var/lib/etcd-node"},
			LogsDirectory: []string{"/var/log/etcd-node"}, RuntimeDirectory: []string{"/run/etcd"}},
		"etcd@b.service": {EnvFiles: []EnvFile{{"/etc/default/etcd@b", true}}, StateDirectory: []string{"/var/lib/etcd@b", "/var/lib/etcd-node@b"},
			LogsDirectory: []string{"/var/log/etcd-node@b"}, RuntimeDirectory: []string{"/run/etcd@b"}},
	} {
		u, ok := read(root, name)
		if !ok || !slices.Equal(u.EnvFiles, want.EnvFiles) || !slices.Equal(u.StateDirectory, want.StateDirectory) ||
			!slices.Equal(u.LogsDirectory, want.LogsDirectory) || !slices.Equal(u.RuntimeDirectory, want.RuntimeDirectory) || u.Flags() != nil {
			t.Errorf("%s: %+v", name, u)
		}
	}
}
