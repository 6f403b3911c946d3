package disk

import (
	"strings"
	"testing"
)

func TestMountedAt(t *testing.T) {
	const mounts = `/dev/vda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
/dev/vdb /var/lib/etcd ext4 rw 0 0
/dev/vdc /var/lib/etcd xfs rw 0 0
/dev/vdd /srv/etcd\040data ext4 rw 0 0
//nas/etcd\040share /srv/a\011tab\134and\012more\040 cifs rw 0 0
/dev/vde /srv/short\04 ext4 rw 0 0
/dev/vdf /srv/no\999number ext4 rw 0 0
`
	for file, want := range map[string]string{
		"/home/x":                      "/dev/vda1, ext4",
		"/var/lib/etcd-node/x":         "/dev/vda1, ext4",
		"/var/lib/etcd":                "/dev/vdc, xfs", // mounted over the other
		"/var/lib/etcd/member/snap/db": "/dev/vdc, xfs",
		"/srv/etcd data/member/wal/0":  "/dev/vdd, ext4",
		"/srv/a\ttab\\and\nmore /x":    "//nas/etcd share, cifs",
		`/srv/short\04/x`:              "/dev/vde, ext4",
		`/srv/no\999number/x`:          "/dev/vdf, ext4",
	} {
		if got, ok := mountedAt(strings.NewReader(mounts), file); got != want || !ok {
			t.Errorf("%q is on %q, %v; want %q", file, got, ok, want)
		}
	}
	if got, ok := mountedAt(strings.NewReader(""), "/x"); ok {
		t.Errorf("without mounts it is on %q", got)
	}
}
