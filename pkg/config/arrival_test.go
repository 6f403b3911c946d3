package config

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/unit"
)

const lab3 = "ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380,etcd-2=http://192.168.122.6:2380,etcd-3=http://192.168.122.7:2380"

// TestEnvFileDidNotArrive: a daemon that systemd has started without any setting
// of a file that has some must not begin an empty member on loopback. Whoever has
// no file, or gives flags, goes on as with etcd.
func TestEnvFileDidNotArrive(t *testing.T) {
	const (
		yaml     = "name: etcd-3\nlisten-peer-urls: http://192.168.122.7:2380\ninitial-cluster: etcd-3=http://192.168.122.7:2380\n"
		template = "# all comments\n#" + lab3 + "\n"
		lost     = "/etc/default/etcd: systemd has not handed over /etc/default/etcd: none of what it sets is in the environment: ETCD_INITIAL_CLUSTER (line 1)"
		bad      = "/etc/default/etcd:2: systemd has not handed over /etc/default/etcd: not valid UTF-8; systemd refuses the whole file (correct the line, then systemctl restart etcd)"
		unread   = "/etc/default/etcd: systemd has not handed over /etc/default/etcd: no setting of it is in the environment, and whether it has any cannot be seen"
		isYAML   = "/etc/default/etcd: systemd has not handed over /etc/default/etcd: this is YAML, as etcd's config file has it, and not an env file: none of it counts" +
			" (move it to /etc/etcd/etcd.yml, and write ETCD_CONFIG_FILE=/etc/etcd/etcd.yml into /etc/default/etcd, then systemctl restart etcd)"
	)
	named := unit.File{Name: "etcd.service", EnvFiles: []unit.EnvFile{{Path: DefaultEnvFile, Optional: true}}}
	silent := unit.File{Name: "etcd.service"} // one's own, which names no file
	debian := named
	debian.Environment = []unit.Line{{Text: "ETCD_NAME=etcd-1"}, {Text: "ETCD_DATA_DIR=/var/lib/etcd/default"}}
	two := named
	two.EnvFiles = append([]unit.EnvFile{{Path: "/etc/etcd/common", Optional: true}}, named.EnvFiles...)
	for _, tc := range []struct {
		name    string
		file    string // "" is none; "?" is one that cannot be read
		unit    unit.File
		args    []string
		environ []string
		want    string // what the only problem begins with; "" for none
	}{
		{"nothing arrived", lab3 + "\n", named, nil, nil, lost},
		{"nothing arrived, unit unknown", lab3 + "\n", unit.File{}, nil, nil, lost},
		{"nothing arrived, the unit names no file", lab3 + "\n", silent, nil, nil, lost},
		{"only the unit's own arrived", lab3 + "\n", debian, nil, []string{"ETCD_NAME=etcd-1", "ETCD_DATA_DIR=/var/lib/etcd/default"}, lost},
		{"a byte that systemd refuses", lab3 + "\nETCD_NAME=etcd\xff\n", named, nil, nil, bad},
		{"the same, unit unknown", lab3 + "\nETCD_NAME=etcd\xff\n", unit.File{}, nil, nil, bad},
		{"not readable", "?", named, nil, nil, unread},
		{"not readable, the unit's own arrived", "?", debian, nil, []string{"ETCD_NAME=etcd-1", "ETCD_DATA_DIR=/var/lib/etcd/default"}, unread},
		{"YAML", yaml, named, nil, nil, isYAML},
		{"YAML, unit unknown", yaml, unit.File{}, nil, nil, isYAML},
		{"the data dir did not arrive", "ETCD_DATA_DIR=/srv/etcd\n", named, nil, nil,
			"/etc/default/etcd: systemd has not handed over /etc/default/etcd: none of what it sets is in the environment: ETCD_DATA_DIR (line 1)"},

		{"it arrived", lab3 + "\n", named, nil, []string{lab3}, ""},
		{"it arrived and cannot be read", "?", named, nil, []string{"ETCD_MAX_WALS=7"}, ""},
		{"a member on loopback, by its file", "ETCD_MAX_WALS=7\n", named, nil, []string{"ETCD_MAX_WALS=7"}, ""},
		{"no file", "", named, nil, nil, ""},
		{"no file, unit unknown", "", unit.File{}, nil, nil, ""},
		{"nothing but comments", template, named, nil, nil, ""},
		{"no setting of etcd's", "GOMAXPROCS=2\n", named, nil, nil, ""},
		{"a unit of one's own with flags", lab3 + "\n", silent, []string{"--name=x", "--data-dir=/var/lib/etcd"}, nil, ""},
		{"the same, unreadable", "?", silent, []string{"--name=x"}, nil, ""},
		{"flags that say where it listens", lab3 + "\n", named, []string{"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379"}, nil, ""},
		{"a file that nobody names, and no cluster in it", "ETCD_MAX_WALS=7\n", silent, nil, nil, ""},
		{"one of two did not arrive", lab3 + "\n", two, nil, []string{"ETCD_MAX_WALS=7"}, lost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := Input{Host: goodHost(), Unit: tc.unit, Args: tc.args, Environ: append(tc.environ, "NOTIFY_SOCKET=/run/x")}
			in.ReadFile = func(path string) ([]byte, error) {
				switch {
				case path == "/etc/etcd/common":
					return []byte("ETCD_MAX_WALS=7\n"), nil
				case path == DefaultEnvFile && tc.file == "?":
					return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
				case path == DefaultEnvFile && tc.file != "":
					return []byte(tc.file), nil
				}
				return nil, fs.ErrNotExist
			}
			got := ""
			if _, err := Load(in); err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, tc.want) || (got == "") != (tc.want == "") || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			in.Environ = tc.environ // by hand, as etcd: it reads no file
			if _, err := Load(in); err != nil {
				t.Errorf("without systemd: %v", err)
			}
		})
	}
}

// TestOneOfTwoDidNotArrive: with a cluster from one file, the other's absence is
// said.
func TestOneOfTwoDidNotArrive(t *testing.T) {
	in := Input{Host: goodHost(), Environ: []string{"NOTIFY_SOCKET=/run/x", lab3},
		Unit: unit.File{Name: "etcd.service", EnvFiles: []unit.EnvFile{{Path: "/a", Optional: true}, {Path: "/b", Optional: true}}},
		ReadFile: func(path string) ([]byte, error) {
			return []byte(map[string]string{"/a": lab3 + "\n", "/b": "ETCD_MAX_WALS=7\nETCD_NAME=\xff\n"}[path]), nil
		}}
	l, err := Load(in)
	if err != nil || !strings.Contains(strings.Join(l.Notices, "\n"), "/b:2: systemd has not handed over /b: not valid UTF-8") {
		t.Errorf("%+v, %v", l, err)
	}
	in.ReadFile = func(path string) ([]byte, error) {
		return []byte(map[string]string{"/a": "ETCD_INITIAL_CLUSTER=other=http://10.0.0.1:2380\n", "/b": "# nothing\n" + lab3 + "\n"}[path]), nil // the second replaces all of the first
	}
	if l, err := Load(in); err != nil || len(l.Notices) > 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestReadUnit: a command reads what the unit names, in systemd's order.
func TestReadUnit(t *testing.T) {
	files := map[string]string{
		"/etc/etcd/common": "ETCD_MAX_WALS=7\nETCD_NAME=b\nETCD_SNAPSHOT_COUNT=5\n",
		"/etc/etcd/conf":   "ETCD_NAME=c\nETCD_SNAPSHOT_COUNT=\n",
	}
	in := Input{Host: goodHost(), ReadUnit: true, Environ: []string{"ETCD_MAX_SNAPSHOTS=9"},
		Unit: unit.File{Name: "etcd.service", Environment: []unit.Line{{Text: "ETCD_NAME=a", Source: "/u"}, {Text: "ETCD_DATA_DIR=/d", Source: "/u"}},
			EnvFiles: []unit.EnvFile{{Path: "/etc/etcd/common"}, {Path: "/gone", Optional: true}, {Path: "/etc/etcd/conf"}}},
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}}
	l, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"name": "c ETCD_NAME (/etc/etcd/conf:1)", "max-wals": "7 ETCD_MAX_WALS (/etc/etcd/common:1)", "data-dir": "/d ETCD_DATA_DIR (/u)",
		"max-snapshots": "9 ETCD_MAX_SNAPSHOTS", "snapshot-count": " ",
	} {
		if got := l.get(name) + " " + l.source(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(strings.Join(l.Notices, "\n"), "/gone is not there; etcd.service names it") {
		t.Errorf("notices %q", l.Notices)
	}
	in.Unit.EnvFiles[1].Optional = false
	if _, err := Load(in); err == nil || !strings.HasPrefix(err.Error(), "/gone: no such env file, and etcd.service does not start without it") {
		t.Errorf("a file that must be there: %v", err)
	}
	// Another file in the place of the unit's.
	in.EnvFile = "/etc/etcd/common"
	if l, err := Load(in); err != nil || l.get("name") != "b" || l.get("data-dir") != "/d" {
		t.Errorf("%v", err)
	}
}

// TestOneForTheOther: an env file and etcd's config file are told apart.
func TestOneForTheOther(t *testing.T) {
	const yaml = "# etcd\nname: etcd-3\ndata-dir: /var/lib/etcd\n"
	for _, tc := range []struct{ name, content, want string }{
		{"env", yaml, "/f: this is YAML, as etcd's config file has it, and not an env file: none of it counts (move it to /etc/etcd/etcd.yml, and write ETCD_CONFIG_FILE=/etc/etcd/etcd.yml into /f)"},
		{"env", "name: etcd-3\nETCD_NAME=etcd-3\n", ""},
		{"env", "Some text: with a colon\n", ""},
		{"config", "ETCD_NAME=etcd-3\n", "ETCD_CONFIG_FILE: /f: this is an env file, with NAME=value lines, and not etcd's config file, which is YAML (" +
			"remove this setting, and have the unit read the file: `systemctl edit etcd`, [Service] EnvironmentFile=/f)"},
		{"config", "# a\n\nexport ETCD_NAME=etcd-3\nETCD_DATA_DIR=\"/a: b\"\n", "ETCD_CONFIG_FILE: /f: this is an env file, "},
		{"config", "name: etcd-3\ninitial-cluster: ETCD_NAME=http://127.0.0.1:2380\n", ""},
	} {
		in := Input{Host: goodHost(), ReadFile: func(string) ([]byte, error) { return []byte(tc.content), nil }}
		if tc.name == "env" {
			in.EnvFile = "/f"
		} else {
			in.Environ = []string{"ETCD_CONFIG_FILE=/f"}
		}
		got := ""
		if _, err := Load(in); err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tc.want) || tc.want == "" && strings.Contains(got, "this is") || strings.Contains(got, "\n") {
			t.Errorf("%s, %q:\n%s\nwant %s", tc.name, tc.content, got, tc.want)
		}
	}
}
