package failure

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/failures.md")

// The page in the repository is the one that the catalogue makes.
func TestPage(t *testing.T) {
	const path = "../../docs/failures.md"
	if *update {
		if err := os.WriteFile(path, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Page() {
		t.Errorf("%s is not what the catalogue makes: go generate ./pkg/failure", path)
	}
	for _, e := range All() {
		if !strings.Contains(string(have), "\n## "+e.ID+"\n") {
			t.Errorf("no %s", e.ID)
		}
	}
}
