package unit

import "testing"

// systemd sorts the directories of a unit.
func TestStateDirs(t *testing.T) {
	for list, want := range map[string][2]string{
		"":                                 {"", ""},
		"/var/lib/etcd":                    {"/var/lib/etcd", ""},
		"/var/lib/etcd:/var/lib/etcd-node": {"/var/lib/etcd", "/var/lib/etcd-node"},
		"/var/lib/etcd-node@events:/var/lib/etcd@events":          {"/var/lib/etcd@events", "/var/lib/etcd-node@events"},
		"/var/lib/etcd-node:/var/lib/kv":                          {"/var/lib/kv", "/var/lib/etcd-node"},
		"/var/lib/etcd:/var/lib/etcd-copy:/var/lib/etcd-node":     {"/var/lib/etcd", "/var/lib/etcd-node"},
		"/var/lib/data:/var/lib/pin":                              {"/var/lib/data", "/var/lib/pin"},
		"/var/lib/etcd-node":                                      {"/var/lib/etcd-node", ""},
		"/var/lib/etcd-nodes:/var/lib/pin":                        {"/var/lib/etcd-nodes", "/var/lib/pin"},
		"/var/lib/etcd@a:/var/lib/etcd-node@a:/var/lib/something": {"/var/lib/etcd@a", "/var/lib/etcd-node@a"},
	} {
		if data, pin := StateDirs(list); data != want[0] || pin != want[1] {
			t.Errorf("%s: %s, %s", list, data, pin)
		}
	}
}
