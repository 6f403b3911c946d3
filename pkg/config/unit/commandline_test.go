package unit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What units of the field run, as etcd gets it.
func TestCommandLine(t *testing.T) {
	set := map[string]string{"DAEMON_ARGS": `--name=x  --debug "--a=b c"`, "ETCD_NAME": "a b", "EMPTY": "", "HOST": "h1"}
	for exec, want := range map[string][]string{
		"/usr/bin/etcd":                                                                {"/usr/bin/etcd"},
		"-/usr/bin/etcd --name a --data-dir=/d":                                        {"/usr/bin/etcd", "--name", "a", "--data-dir=/d"},
		"/usr/bin/etcd $DAEMON_ARGS $EMPTY":                                            {"/usr/bin/etcd", "--name=x", "--debug", "--a=b c"},
		"/usr/bin/etcd --name=${ETCD_NAME} --x=${NONE} --y=$$z":                        {"/usr/bin/etcd", "--name=a b", "--x=", "--y=$z"},
		":/usr/bin/etcd --name=${ETCD_NAME}":                                           {"/usr/bin/etcd", "--name=${ETCD_NAME}"},
		"@/usr/bin/etcd etcd --name=a":                                                 {"/usr/bin/etcd", "--name=a"},
		`/usr/bin/etcd "--name=a b"`:                                                   {"/usr/bin/etcd", "--name=a b"},
		`/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=\"${ETCD_NAME}\" --n"`: {"/usr/bin/etcd", "--name=a b", "--n"},
		`/bin/sh -c 'exec /usr/bin/etcd --name=$HOST --x="$ETCD_NAME" --y=\'z'`:        nil, // a quote is not closed
		`/bin/sh -ec "exec /usr/bin/etcd --name=$HOST --x='$HOST'"`:                    {"/usr/bin/etcd", "--name=h1", "--x=$HOST"},
		`/bin/sh -c "/usr/bin/etcd --name=$(hostname)"`:                                {"", "the shell is to find out --name=$(hostname)"},
		"/bin/sh -c \"/usr/bin/etcd --name=`hostname`\"":                               {"", "the shell is to find out --name=`hostname`"},
		`/bin/sh -c "ETCD_QUOTA=5 exec /usr/bin/etcd"`:                                 {"/usr/bin/etcd"},
		`/bin/sh -c "ETCD_QUOTA=$(nproc) exec /usr/bin/etcd"`:                          {"", "the shell is to find out ETCD_QUOTA"},
		`/bin/bash -c "/usr/bin/etcd --name=$HOSTNAME"`:                                {"", "the shell is to find out --name=$HOSTNAME"},
		`/bin/sh -c "sleep 5; /usr/bin/etcd"`:                                          {"", "more than one command"},
		`/bin/sh -c "/usr/bin/etcd >/tmp/log"`:                                         {"", "more than one command"},
		`/bin/sh /usr/local/bin/start-etcd`:                                            {"", "runs a script"},
	} {
		u := File{Path: "/u", ExecStart: []Line{{exec, "/u"}}}
		variables := maps.Clone(set)
		program, args, err := u.CommandLine(variables)
		if strings.Contains(exec, "QUOTA=5") && variables["ETCD_QUOTA"] != "5" {
			t.Errorf("%s: %v", exec, variables)
		}
		switch got := append([]string{program}, args...); {
		case want == nil:
			if err == nil {
				t.Errorf("%s: %q", exec, got)
			}
		case want[0] == "":
			if err == nil || !strings.Contains(err.Error(), want[1]) {
				t.Errorf("%s: %q, %v", exec, got, err)
			}
		case err != nil || !slices.Equal(got, want):
			t.Errorf("%s: %q, %v, want %q", exec, got, err, want)
		}
	}
	if _, _, err := (File{Path: "/u"}).CommandLine(nil); err == nil {
		t.Error("a unit without a command")
	}
}

func TestVariables(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "env")
	if err := os.WriteFile(path, []byte("B=2\nC=\"3 4\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := File{Environment: []Line{{"A=1", "/u"}, {"B=1", "/u"}}, EnvFiles: []EnvFile{{filepath.Join(dir, "none"), true}, {path, false}}}
	got, err := u.Variables()
	if err != nil || len(got) != 3 || got["A"] != "1" || got["B"] != "2" || got["C"] != "3 4" {
		t.Errorf("%v, %v", got, err)
	}
	u.EnvFiles[0].Optional = false
	if _, err := u.Variables(); err == nil {
		t.Error("a file that must be there, and is not")
	}
}

func TestAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.service")
	if err := os.WriteFile(path, []byte("[Service]\nExecStart=/bin/bash -c \"x=1 /usr/bin/etcd\"\nUser=me\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := At(path, "etcd.service")
	if err != nil || !u.Runs("etcd") || u.Runs("etcd-node") || u.User != "me" || u.Name != "etcd.service" {
		t.Errorf("%+v, %v", u, err)
	}
}
