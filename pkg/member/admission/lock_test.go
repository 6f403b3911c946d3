package admission

import (
	"strings"
	"testing"
)

// Where another etcd has the data, most likely a second unit was copied.
func TestHeld(t *testing.T) {
	for command, hint := range map[string]bool{"etcd-node": true, "/usr/bin/etcd": true, "etcd-member": true, "bbolt": false} {
		text := held("/data/db", 7, command)
		if !strings.HasPrefix(text, "/data/db, which process 7 ("+command+") holds") || strings.Contains(text, "etcd@NAME, or set ETCD_DATA_DIR") != hint {
			t.Errorf("%s", text)
		}
	}
}
