package lab

import (
	"context"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/test/pki"
)

// Secrets that a unit prints into the journal, and that its files hold, are not in a
// bundle, and what tells how the member is is there.
func TestBundleUnderSystemd(t *testing.T) {
	c := hosts(t)
	key := string(pki.Issue(nil, nil).Key)
	says := key + `PASSWORD=planted-1 planted-2
calling https://me:planted-3@192.168.122.9/ with Authorization: Bearer planted-4
{"level":"info","msg":"x","password":"planted-5","request":"put planted-6"}
`
	if err := c.host(1).Write(t.Context(), "/root/says", says, 0o600); err != nil {
		t.Fatal(err)
	}
	c.dropIn(1, `[Service]
Environment=DATABASE_URL=postgres://me:planted-7@db/x "OTHER=planted-8 planted-9"
ExecStartPre=+/bin/cat /root/says
`)
	c.env(c.initialCluster(), "ETCD_LOG_LEVEL=debug", "ETCDCTL_USER=root:planted-10", "WHATEVER=planted-11")
	c.start()
	c.run(1, "etcd-node", "ctl", "put", "planted-key", "planted-value")
	c.run(1, "sh", "-c", "cd /root && rm -rf b b.tar.gz && etcd-node bundle -o b.tar.gz && mkdir b && tar -xzf b.tar.gz -C b --strip-components=1")
	t.Cleanup(func() {
		if _, err := c.host(1).Run(context.Background(), "rm", "-rf", "/root/b", "/root/b.tar.gz", "/root/says"); err != nil {
			t.Error(err)
		}
	})
	if journal := c.run(1, "journalctl", "-u", "etcd", "-o", "cat", "--no-pager", "--since=@"+strings.TrimSpace(c.since)); !containsAll(journal, "planted-6", strings.Split(key, "\n")[1]) {
		t.Fatalf("nothing is planted in the journal:\n%s", journal)
	}
	for _, secret := range []string{"planted-", strings.Split(key, "\n")[1]} {
		if out := c.run(1, "sh", "-c", "grep -r -e '"+secret+"' /root/b || true"); out != "" {
			t.Errorf("the bundle has %s:\n%s", secret, out)
		}
	}
	for file, want := range map[string]string{
		"journal.txt": "Started etcd.service", "unit.txt": "ExecReload=", "unit-properties.txt": "MainPID=", "history.txt": "serving", "status.txt": "3 of 3 members",
		"check.txt": "ok       peer etcd-2", "metrics-member.txt": "etcd_server_has_leader 1", "machine/proc_cpuinfo": "processor", "env/etc_default_etcd": "ETCD_LOG_LEVEL=debug",
	} {
		if out := c.run(1, "cat", "/root/b/"+file); !strings.Contains(out, want) {
			t.Errorf("%s lacks %q:\n%s\n%s", file, want, out, c.run(1, "cat", "/root/b/MANIFEST.txt"))
		}
	}
}
