package config

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/etcd-node/etcd-node/pkg/config/preflight"
	"github.com/etcd-node/etcd-node/pkg/config/unit"
)

// arrived loads a configuration that systemd hands over; "" is a start without a
// problem.
func arrived(in Input) (problems, notices string) {
	l, err := Load(in)
	if err != nil {
		return err.Error(), ""
	}
	return "", strings.Join(l.Notices, "\n")
}

// TestUnreadableEnvFile: systemd reads as root what the service may not. Without
// data nothing tells a file without settings from one that configures a cluster;
// a member that has data does not come up as an empty one.
func TestUnreadableEnvFile(t *testing.T) {
	const says = "/etc/default/etcd: systemd has not handed over /etc/default/etcd: no setting of it is in the environment"
	named := unit.File{Name: "etcd.service", EnvFiles: []unit.EnvFile{{Path: DefaultEnvFile, Optional: true}}}
	data := fstest.MapFS{"var/lib/etcd/member/wal/1.wal": {}}
	for _, tc := range []struct {
		name            string
		mode            fs.FileMode
		statErr         error
		unit            unit.File
		data            fstest.MapFS
		refused, notice bool
	}{
		{"0600, a first start", 0o600, nil, named, nil, true, false},
		{"0600, with data", 0o600, nil, named, data, false, true},
		{"in a directory of root's, with data", 0, fs.ErrPermission, named, data, false, true},
		{"not by its mode (SELinux, an ACL), with data", 0o644, nil, named, data, false, true},
		{"not by its mode, a first start", 0o644, nil, named, nil, true, false},
		{"0600, and no unit known", 0o600, nil, unit.File{}, nil, false, false},
		{"0600, and a unit that does not name it", 0o600, nil, unit.File{Name: "etcd.service"}, nil, false, false},
	} {
		host := goodHost()
		host.Stat = func(path string) (preflight.Info, error) {
			if path == DefaultEnvFile {
				return preflight.Info{Mode: tc.mode}, tc.statErr
			}
			return preflight.Info{}, fs.ErrNotExist
		}
		problems, notices := arrived(Input{Host: host, Unit: tc.unit, Environ: []string{"NOTIFY_SOCKET=/run/x", "STATE_DIRECTORY=/var/lib/etcd"},
			ReadFile: func(path string) ([]byte, error) {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
			},
			ReadDir: func(path string) ([]fs.DirEntry, error) { return tc.data.ReadDir(strings.TrimPrefix(path, "/")) }})
		if tc.mode == 0o644 && !strings.Contains(problems+notices, "(let the service read the file (ls -lZ /etc/default/etcd and getfacl /etc/default/etcd say what forbids it)") {
			t.Errorf("%s: %s%s", tc.name, problems, notices)
		}
		if strings.HasPrefix(problems, says) != tc.refused || (problems != "") != tc.refused || strings.Contains(notices, says) != tc.notice {
			t.Errorf("%s: problems %q, notices %q", tc.name, problems, notices)
		}
	}
}

// TestUnreadableEnvFileIsPasted: the way out has commands, for the service's own
// group.
func TestUnreadableEnvFileIsPasted(t *testing.T) {
	for _, tc := range []struct {
		unit unit.File
		want string
	}{
		{unit.File{}, "(let the service's group read the file (chgrp etcd '/etc/my env;reboot', chmod 0640 '/etc/my env;reboot'), then systemctl restart"},
		{unit.File{User: "kv"}, "chgrp kv "},
		{unit.File{User: "kv", Group: "certs"}, "chgrp certs "},
	} {
		tc.unit.Name, tc.unit.EnvFiles = "etcd.service", []unit.EnvFile{{Path: "/etc/my env;reboot", Optional: true}}
		problems, _ := arrived(Input{Host: goodHost(), Unit: tc.unit, Environ: []string{"NOTIFY_SOCKET=/run/x"},
			ReadFile: func(path string) ([]byte, error) {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
			}})
		if !strings.Contains(problems, tc.want) || strings.Contains(problems, "getfacl") {
			t.Errorf("%s\nwant %s", problems, tc.want)
		}
	}
}

// TestArrivalWithoutNotify: Type=exec and Type=simple have no NOTIFY_SOCKET.
func TestArrivalWithoutNotify(t *testing.T) {
	named := unit.File{Name: "etcd.service", EnvFiles: []unit.EnvFile{{Path: DefaultEnvFile, Optional: true}}}
	pid := fmt.Sprintf("SYSTEMD_EXEC_PID=%d", os.Getpid())
	for _, tc := range []struct {
		environ []string
		unit    unit.File
		refused bool
	}{
		{[]string{"INVOCATION_ID=x", pid}, named, true},
		{[]string{"INVOCATION_ID=x", pid}, unit.File{}, false},
		{[]string{"INVOCATION_ID=x", "SYSTEMD_EXEC_PID=1"}, named, false}, // started by a service
		{[]string{pid}, named, false},
	} {
		problems, _ := arrived(Input{Host: goodHost(), Unit: tc.unit, Environ: tc.environ, ReadFile: func(string) ([]byte, error) { return []byte(lab3 + "\n"), nil }})
		if strings.Contains(problems, "systemd has not handed over") != tc.refused {
			t.Errorf("%q, %s: %q", tc.environ, tc.unit.Name, problems)
		}
	}
}

// TestArrivalLeftover: the file of a unit that sets what it needs by itself is
// left over; what is not known of a unit is said, and no problem.
func TestArrivalLeftover(t *testing.T) {
	in := Input{Host: goodHost(), Environ: []string{"NOTIFY_SOCKET=/run/x", "ETCD_MAX_WALS=7"}, ReadFile: func(string) ([]byte, error) { return []byte(lab3 + "\n"), nil },
		Unit: unit.File{Name: "etcd.service", Environment: []unit.Line{{Text: "ETCD_MAX_WALS=7"}}}}
	if problems, notices := arrived(in); problems != "" || !strings.Contains(notices, "systemd has not handed over /etc/default/etcd: none of what it sets") {
		t.Errorf("%q, %q", problems, notices)
	}
	in.Unit = unit.File{Name: "etcd.service", Unknown: []string{"/u: what EnvironmentFile= sets is not known: it has the specifier %q"}}
	if problems, notices := arrived(in); problems != "" || !strings.Contains(notices, "the specifier %q") || strings.Contains(notices, "handed over") {
		t.Errorf("%q, %q", problems, notices)
	}
}

// TestConfigFileOfUnit: the command is for the unit that is meant.
func TestConfigFileOfUnit(t *testing.T) {
	problems, _ := arrived(Input{Host: goodHost(), Environ: []string{"ETCD_CONFIG_FILE=/f"}, Unit: unit.File{Name: "etcd@a.service"},
		ReadFile: func(string) ([]byte, error) { return []byte("ETCD_NAME=a\n"), nil }})
	if !strings.Contains(problems, "`systemctl edit etcd@a`") {
		t.Error(problems)
	}
}

// TestArrivalOfInstance: systemd takes a backslash in EnvironmentFile= for a part
// of a pattern.
func TestArrivalOfInstance(t *testing.T) {
	const path = `/etc/default/etcd@a-b\x20c`
	problems, _ := arrived(Input{Host: goodHost(), Environ: []string{"NOTIFY_SOCKET=/run/x"}, ReadFile: func(string) ([]byte, error) { return []byte(lab3 + "\n"), nil },
		Unit: unit.File{Name: `etcd@a-b\x20c.service`, EnvFiles: []unit.EnvFile{{Path: path, Optional: true}}}})
	if !strings.HasSuffix(problems, "in which a backslash is no letter, so that systemd finds no such file (give the instance a name of letters, digits, '.', '_' and '-')") {
		t.Error(problems)
	}
}
