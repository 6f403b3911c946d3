package preflight

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLookup: a unit's Group= and SupplementaryGroups= count.
func TestLookup(t *testing.T) {
	u, ok := Lookup("nobody", "daemon", "4")
	if !ok || u.Name != "nobody" || len(u.GIDs) < 3 || u.GIDs[0] != 1 || u.GIDs[len(u.GIDs)-1] != 4 { // Debian's, and the same everywhere
		t.Errorf("%+v, %v", u, ok)
	}
	if byID, ok := Lookup("65534", ""); !ok || byID.Name != "nobody" {
		t.Errorf("%+v, %v", byID, ok)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	key := filepath.Join(os.TempDir(), "lookup-test.key") // not below a directory of root alone
	defer os.Remove(key)
	if err := os.WriteFile(key, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(key, 0, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := SystemAs(u).ReadFile(key); err != nil {
		t.Errorf("a file of the supplementary group: %v", err)
	}
	without, _ := Lookup("nobody", "")
	if _, err := SystemAs(without).ReadFile(key); err == nil {
		t.Error("nobody can read it without the group")
	}
}
