package unit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDropInOrder: as systemd 252 ranks and names them (systemctl show
// UNIT -p DropInPaths on a host with these files).
func TestDropInOrder(t *testing.T) {
	const unit = "[Service]\nExecStart=/bin/true\n"
	root := machine(t, map[string]string{
		"/etc/systemd/system/foo-bar.service":                   "[Service]\nExecStart=/bin/true\n",
		"/usr/lib/systemd/system/foo-bar.service.d/10.conf":     "",
		"/etc/systemd/system/foo-.service.d/10.conf":            "",
		"/usr/lib/systemd/system/foo-bar.service.d/20.conf":     "",
		"/etc/systemd/system/service.d/20.conf":                 "",
		"/usr/lib/systemd/system/foo-.service.d/30.conf":        "",
		"/etc/systemd/system/service.d/30.conf":                 "",
		"/usr/lib/systemd/system/tpl@.service":                  unit,
		"/usr/lib/systemd/system/tpl@a.service.d/10.conf":       "",
		"/etc/systemd/system/tpl@.service.d/10.conf":            "",
		"/usr/lib/systemd/system/etcd-server.service":           unit,
		"/etc/systemd/system/etcd.service.d/10.conf":            "",
		"/etc/systemd/system/etcd.service.d/20.conf":            "",
		"/usr/lib/systemd/system/etcd-server.service.d/20.conf": "",
		"/usr/lib/systemd/system/etcd-.service.d/20.conf":       "",
		"/etc/systemd/system/service.d/10.conf":                 "",
		"/etc/systemd/system/pre-x@.service":                    unit,
		"/etc/systemd/system/pre-@a.service.d/1.conf":           "",
		"/etc/systemd/system/pre-.service.d/2.conf":             "",
		"/etc/systemd/system/pre-@.service.d/3.conf":            "",
		"/etc/systemd/system/pre-x@.service.d/4.conf":           "",
		"/etc/systemd/system/pre-x@a.service.d/5.conf":          "",
	})
	if err := os.Symlink("/usr/lib/systemd/system/etcd-server.service", filepath.Join(root, "etc/systemd/system/etcd.service")); err != nil {
		t.Fatal(err)
	}
	const etc, usr = "/etc/systemd/system/", "/usr/lib/systemd/system/"
	for name, want := range map[string][]string{
		"foo-bar.service":     {etc + "foo-.service.d/10.conf", usr + "foo-bar.service.d/20.conf", usr + "foo-.service.d/30.conf"},
		"tpl@a.service":       {etc + "tpl@.service.d/10.conf", etc + "service.d/20.conf", etc + "service.d/30.conf"},
		"etcd-server.service": {etc + "etcd.service.d/10.conf", usr + "etcd-server.service.d/20.conf", etc + "service.d/30.conf"},
		"etcd.service":        {etc + "etcd.service.d/10.conf", usr + "etcd-server.service.d/20.conf", etc + "service.d/30.conf"},
		"pre-x@a.service": {etc + "pre-@a.service.d/1.conf", etc + "service.d/10.conf", etc + "pre-.service.d/2.conf", etc + "service.d/20.conf",
			etc + "pre-@.service.d/3.conf", etc + "service.d/30.conf", etc + "pre-x@.service.d/4.conf", etc + "pre-x@a.service.d/5.conf"},
	} {
		u, ok := read(root, name)
		var got []string
		for _, path := range u.DropIns {
			got = append(got, strings.TrimPrefix(path, root))
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%s:\n%q\nwant %q", name, got, want)
		}
	}
	if u, _ := read(root, "etcd.service"); u.Name != "etcd-server.service" {
		t.Errorf("the alias is called %s", u.Name)
	}
}

// An instance by an alias of its template.
func TestAliasOfTemplate(t *testing.T) {
	root := machine(t, map[string]string{
		"/usr/lib/systemd/system/kv@.service":          "[Service]\nStateDirectory=%p-%i\n",
		"/etc/systemd/system/etcd@a.service.d/10.conf": "[Service]\nLogsDirectory=a\n",
	})
	if err := os.Symlink("kv@.service", root+"/usr/lib/systemd/system/etcd@.service"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etcd@a.service", "kv@a.service"} {
		if u, ok := read(root, name); !ok || u.Name != "kv@a.service" || !slices.Equal(u.StateDirectory, []string{"/var/lib/kv-a"}) || !slices.Equal(u.LogsDirectory, []string{"/var/log/a"}) {
			t.Errorf("%s: %+v, %v", name, u, ok)
		}
	}
}

// TestUnreadDropIn: one file that this user may not read makes the unit unknown.
func TestUnreadDropIn(t *testing.T) {
	root := machine(t, map[string]string{"/etc/systemd/system/etcd.service": "[Service]\nEnvironmentFile=/etc/default/etcd\n"})
	drop := root + "/etc/systemd/system/etcd.service.d/10.conf"
	if err := os.MkdirAll(drop, 0o755); err != nil { // nobody can read it, not even root
		t.Fatal(err)
	}
	u, ok := read(root, "etcd.service")
	if ok || u.Name != "" || u.EnvFiles != nil || len(u.Unknown) != 1 || !strings.Contains(u.Unknown[0], "what etcd.service says is not known: read "+drop) {
		t.Errorf("%+v, %v", u, ok)
	}
}

// TestSpecifiers: what is not known is not judged.
func TestSpecifiers(t *testing.T) {
	root := machine(t, map[string]string{"/etc/systemd/system/etcd@.service": "[Service]\nUser=kv\nGroup=certs\nSupplementaryGroups=ssl-cert a\nSupplementaryGroups=b\n" +
		"Environment=ETCD_CERT_FILE=%d/crt ETCD_NAME=%I\nEnvironment=ETCD_DATA_DIR=%q/x\nEnvironmentFile=-/%z\nExecStart=/bin/x --a=100%% --b=5% --c=%j\n"})
	u, ok := read(root, `etcd@a-b\x20c.service`)
	if want := []string{`ETCD_CERT_FILE=/run/credentials/etcd@a-b\x20c.service/crt`, "ETCD_NAME=a/b c"}; !ok || !slices.Equal(texts(u.Environment), want) {
		t.Errorf("%q, want %q", texts(u.Environment), want)
	}
	if len(u.EnvFiles) > 0 || len(u.Unknown) != 2 || !strings.Contains(u.Unknown[0], "what Environment= sets is not known: it has the specifier %q") {
		t.Errorf("%+v", u)
	}
	if got := texts(u.ExecStart); len(got) != 1 || got[0] != "/bin/x --a=100% --b=5% --c=etcd" {
		t.Errorf("%q", got)
	}
	if u.User != "kv" || u.Group != "certs" || !slices.Equal(u.Groups, []string{"ssl-cert", "a", "b"}) {
		t.Errorf("%s %s %q", u.User, u.Group, u.Groups)
	}
}
