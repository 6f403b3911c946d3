package unit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// shipped is systemctl's answer for deploy/systemd/etcd.service.
const shipped = `User=etcd
Group=etcd
ProtectHome=yes
ProtectSystem=strict
PrivateTmp=yes
WorkingDirectory=
ReadWritePaths=
BindPaths=
BindReadOnlyPaths=
StateDirectory=etcd etcd-node
CacheDirectory=
LogsDirectory=etcd-node
RuntimeDirectory=etcd
`

// TestUnitNotices: systemd's answer, a setting, and what is said of it.
func TestUnitNotices(t *testing.T) {
	dir := t.TempDir()
	disk, link := t.TempDir(), filepath.Join(dir, "link")
	if err := os.Symlink(disk, link); err != nil {
		t.Fatal(err)
	}
	with := func(properties string) string { return shipped + properties } // the last one counts
	for _, tc := range []struct{ answer, setting, value, want string }{
		{shipped, "data-dir", "/var/lib/etcd", ""},
		{shipped, "data-dir", "/var/lib/etcd/inner", ""},
		{with("PrivateTmp=no\nReadWritePaths=" + disk), "data-dir", filepath.Join(link, "new"), ""},
		{shipped, "data-dir", "/var/lib/etcd2", "etcd.service does not let the daemon write to /var/lib/etcd2 (ProtectSystem=strict): make it (install -d -o etcd -g etcd -m 0700 /var/lib/etcd2), then give `systemctl edit etcd` these lines:\n" +
			"    [Unit]\n    RequiresMountsFor=/var/lib/etcd2\n    [Service]\n    ReadWritePaths=/var/lib/etcd2"},
		{with("PrivateTmp=no"), "data-dir", dir, "etcd.service does not let the daemon write to " + dir + " (ProtectSystem=strict): give `systemctl edit etcd`"},
		{shipped, "data-dir", "data", "write to /data ("},
		{with("WorkingDirectory=!/var/lib/etcd"), "data-dir", "data", ""},
		{with("ReadWritePaths=/mnt -/srv/etcd"), "data-dir", "/srv/etcd/data", ""},
		{with("ReadWritePaths=/srv/etcd"), "data-dir", "/srv/etcd2", "write to /srv/etcd2 ("},
		{shipped, "data-dir", "/home/etcd", "etcd.service hides /home/etcd from the daemon (ProtectHome=yes): take a directory elsewhere"},
		{with("ProtectHome=read-only\nProtectSystem=full"), "data-dir", "/home/etcd", "write to /home/etcd (ProtectHome=read-only): make it"},
		{with("ProtectHome=tmpfs\nBindPaths=/home/etcd:/home/etcd:rbind"), "data-dir", "/home/etcd", ""},
		{with("ProtectSystem=full"), "data-dir", "/srv/etcd", ""},
		{with("ReadWritePaths=/srv/wal"), "wal-dir", "/srv/wal", "write to /srv ("},
		{with("ReadWritePaths=/srv/wal"), "wal-dir", "/srv/wal/wal", ""},
		{with("ReadWritePaths=/srv/wal"), "wal-dir", "/srv/wal", "before it gives it its name: name a directory inside, /srv/wal/wal"},
		{shipped, "wal-dir", "/var/lib/etcd-wal", "name a directory inside, /var/lib/etcd-wal/wal, then make it (install -d -o etcd -g etcd -m 0700 /var/lib/etcd-wal), then give `systemctl edit etcd` these lines:\n" +
			"    [Unit]\n    RequiresMountsFor=/var/lib/etcd-wal\n    [Service]\n    ReadWritePaths=/var/lib/etcd-wal"},
		{shipped, "cert-file", "/etc/etcd/server.crt", ""},
		{shipped, "cert-file", "/home/me/server.crt", "etcd.service hides /home/me/server.crt from the daemon (ProtectHome=yes): move it to /etc/etcd, where the user etcd can read it"},
		{shipped, "peer-trusted-ca-file", "/root/ca.crt", "hides /root/ca.crt"},
		{shipped, "discovery-cacert", "/run/user/1000/ca.crt", "hides /run/user/1000/ca.crt"},
		{shipped, "cert-file", "/homestead/server.crt", ""},
		{with("ProtectHome=read-only"), "cert-file", "/home/me/server.crt", ""},
		{with("ProtectHome=tmpfs\nBindReadOnlyPaths=/home/me/pki"), "cert-file", "/home/me/pki/server.crt", ""},
		{shipped, "name", "/home/me", ""},
		{"", "data-dir", "/home/etcd", ""}, // nobody to ask
	} {
		r := &settings.Resolved{Settings: []settings.Setting{{Name: tc.setting, Value: tc.value, Origin: settings.FromEnvFile, Source: "ETCD_X (/etc/default/etcd:3)"}}}
		got := strings.Join(parse(tc.answer).Forbids(r), "\n")
		want := tc.want
		if want != "" && !strings.HasPrefix(got, "ETCD_X (/etc/default/etcd:3): etcd.service ") || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s=%s: %q, want %q", tc.setting, tc.value, got, want)
		}
	}
	derived := &settings.Resolved{Settings: []settings.Setting{{Name: "data-dir", Value: "/data", Origin: settings.FromDerivation}}}
	if got := parse(shipped).Forbids(derived); got != nil {
		t.Errorf("a state directory: %q", got)
	}
	file := &settings.Resolved{ConfigFile: "/root/etcd.yml", Member: settings.Member{DataDir: "/srv/etcd", WALDir: "/var/lib/etcd/wal"}}
	if got := parse(shipped).Forbids(file); len(got) != 2 || !strings.HasPrefix(got[0], "/root/etcd.yml: ") || !strings.Contains(got[1], "ReadWritePaths=/srv/etcd") {
		t.Errorf("a config file: %q", got)
	}
}

// TestAllowIsPasted: root pastes the command into a shell and the lines into a
// drop-in; they are for the user whom the unit has.
func TestAllowIsPasted(t *testing.T) {
	of := func(answer, dir string) string {
		r := &settings.Resolved{Settings: []settings.Setting{{Name: "data-dir", Value: dir, Origin: settings.FromFlag, Source: "--data-dir"}}}
		return strings.Join(parse(answer).Forbids(r), "\n")
	}
	const dir = "/srv/my data;reboot"
	for _, tc := range []struct{ answer, dir, want string }{
		{shipped, dir, "(install -d -o etcd -g etcd -m 0700 '/srv/my data;reboot'), "},
		{shipped, dir, "\n    RequiresMountsFor=\"/srv/my data;reboot\"\n"},
		{shipped, dir, "\n    ReadWritePaths=\"/srv/my data;reboot\""},
		{shipped, `/srv/a"b\c`, `ReadWritePaths="/srv/a\"b\\c"`},
		{shipped, "/srv/100%", "ReadWritePaths=/srv/100%%"},
		{shipped + "User=kv\nGroup=certs\n", "/srv/kv", "(install -d -o kv -g certs -m 0700 /srv/kv)"},
		{shipped + "User=kv\nGroup=\n", "/srv/kv", "(install -d -o kv -m 0700 /srv/kv)"}, // its primary group: nobody else may look in
		{shipped + "User=\nGroup=\n", "/srv/kv", "(install -d -o root -m 0700 /srv/kv)"},
		{shipped + "Id=etcd@a\\x2db.service\n", "/srv/kv", "give `systemctl edit 'etcd@a\\x2db'` these lines"},
	} {
		if got := of(tc.answer, tc.dir); !strings.Contains(got, tc.want) {
			t.Errorf("%q\nwant %q", got, tc.want)
		}
	}
	// systemctl shows such a path in quotes.
	if got := of(shipped+"ReadWritePaths=/mnt \"/srv/my data;reboot\"\n", dir); got != "" {
		t.Errorf("after the edit: %q", got)
	}
	r := &settings.Resolved{Settings: []settings.Setting{{Name: "cert-file", Value: "/root/x", Origin: settings.FromFlag, Source: "--cert-file"}}}
	if got := parse(shipped + "User=kv\n").Forbids(r); len(got) != 1 || !strings.HasSuffix(got[0], "where the user kv can read it") {
		t.Errorf("%q", got)
	}
}

// TestOtherEnvFile: a command says that it has not read what the daemon gets.
func TestOtherEnvFile(t *testing.T) {
	const named = "EnvironmentFiles=/etc/etcd/common (ignore_errors=yes)\nEnvironmentFiles=/etc/etcd/etcd.conf (ignore_errors=no)\n"
	if got := parse(named).OtherEnvFile("/etc/default/etcd"); len(got) != 1 || !strings.Contains(got[0], "etcd.service reads /etc/etcd/common, /etc/etcd/etcd.conf, and this") ||
		!strings.Contains(got[0], "ETCD_NODE_ENV_FILE=/etc/etcd/etcd.conf etcd-node config") {
		t.Errorf("%q", got)
	}
	for _, read := range []string{"/etc/etcd/common", ""} {
		if got := parse(named).OtherEnvFile(read); got != nil {
			t.Errorf("%q: %q", read, got)
		}
	}
	if got := parse(shipped).OtherEnvFile("/etc/default/etcd"); got != nil {
		t.Errorf("a unit without a file: %q", got)
	}
}

// TestShippedUnit: what the test takes for the shipped unit's is.
func TestShippedUnit(t *testing.T) {
	data, err := os.ReadFile("../../../deploy/systemd/etcd.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(shipped) {
		if _, value, _ := strings.Cut(strings.TrimSpace(line), "="); value != "" && !strings.Contains(string(data), "\n"+line) {
			t.Errorf("not in the unit: %s", line)
		}
	}
}

// The drop-in names exactly what the unit does not let the daemon write to.
func TestNeeds(t *testing.T) {
	there, wal := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(wal, "0.wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := parse("User=etcd\nGroup=etcd\nProtectSystem=strict\nStateDirectory=etcd etcd-node\nReadWritePaths=/srv/known\n")
	for _, tc := range []struct {
		data, wal string
		dirs      []string
		first     string
	}{
		{"/var/lib/etcd", "", nil, ""},
		{"/srv/known/etcd", "", nil, ""},
		{there, "", []string{there}, ""},
		{"/none/etcd", "", []string{"/none/etcd"}, "install -d -o etcd -g etcd -m 0700 /none/etcd"},
		{"/var/lib/etcd", there + "/wal", []string{there}, ""}, // etcd makes it there
		{"/var/lib/etcd", wal, []string{wal}, ""},
		{there, there + "/a/wal", []string{there}, ""},
	} {
		dirs, first := p.Needs(&settings.Resolved{Member: settings.Member{DataDir: tc.data, WALDir: tc.wal}})
		if !slices.Equal(dirs, tc.dirs) || strings.Join(first, "") != tc.first {
			t.Errorf("%+v: %q, %q", tc, dirs, first)
		}
	}
	if got, want := Reach([]string{"/srv/a b", "/x%"}), "[Unit]\nRequiresMountsFor=\"/srv/a b\" /x%%\n\n[Service]\nReadWritePaths=\"/srv/a b\" /x%%\n"; got != want {
		t.Errorf("%q", got)
	}
}
