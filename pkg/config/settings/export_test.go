package settings

import (
	"os/exec"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
)

// TestQuotes: no value is changed on its way through systemd's or a shell's
// syntax.
func TestQuotes(t *testing.T) {
	for _, value := range []string{"", "plain", "a b", `a"b'c`, "$HOME`x`", `back\slash\\`, "a\nb", " ends ", "# no comment", "ünï"} {
		text := "A=" + envQuote(value) + "\n"
		file, err := envfile.Parse([]byte(text))
		if err != nil || len(file.Variables) != 1 || file.Variables[0].Value != value {
			t.Errorf("env %q: %+v, %v", value, file, err)
		}
		// People source env files, too.
		for _, quoted := range []string{shellQuote(value), envQuote(value)} {
			out, err := exec.Command("sh", "-c", "printf %s "+quoted).Output()
			if err != nil || string(out) != value {
				t.Errorf("shell %q, quoted %q: %q, %v", value, quoted, out, err)
			}
		}
	}
}
