package listener

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Who has the port is named by its unit, and else by its command.
func TestListener(t *testing.T) {
	for cgroup, want := range map[string]string{
		"0::/system.slice/system-etcd.slice/etcd@events.service\n":                      "process 12 (etcd@events)",
		"0::/user.slice/user-0.slice/session-1.scope\n":                                 "process 12 (etcd-member)",
		"0::/user.slice/user-0.slice/user@0.service/app.slice/run-1.service\n":          "process 12 (etcd-member)",
		"3:cpu:/x\n1:name=systemd:/system.slice/etcd.service\n0::/system.slice/x.scope": "process 12 (etcd)",
	} {
		proc := t.TempDir()
		write := func(name, text string) error {
			path := filepath.Join(proc, name)
			return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
		}
		if err := errors.Join(
			// 2390 is 0956: a connection to the port, and the listener
			write("net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"+
				"   0: 0100007F:0956 0100007F:1234 01 00000000:00000000 00:00000000 00000000 0 0 76 1\n"+
				"   1: 00000000:0956 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n"+
				"   2: 0100007F:0958 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 78 1\n"),
			write("12/cgroup", cgroup), write("12/comm", "etcd-member\n"), write("11/fd/x", ""),
			os.MkdirAll(filepath.Join(proc, "12/fd"), 0o700),
			os.Symlink("socket:[76]", filepath.Join(proc, "11/fd/3")),
			os.Symlink("socket:[77]", filepath.Join(proc, "12/fd/3")),
		); err != nil {
			t.Fatal(err)
		}
		if who, ok := On(proc, "localhost", "2390"); !ok || who.String() != want {
			t.Errorf("%q, %v, want %q", who, ok, want)
		}
		for _, other := range []struct{ host, port string }{{"", "2391"}, {"127.0.0.2", "2392"}, {"", "x"}} {
			if who, ok := On(proc, other.host, other.port); ok {
				t.Errorf("%q listens at %s, port %s, where nobody does", who, other.host, other.port)
			}
		}
		for _, same := range []struct{ host, port string }{{"127.0.0.1", "2390"}, {"127.0.0.1", "2392"}, {"0.0.0.0", "2392"}} {
			if _, ok := On(proc, same.host, same.port); !ok {
				t.Errorf("nobody is in the way of %s, port %s", same.host, same.port)
			}
		}
	}
}
