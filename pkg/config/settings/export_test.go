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

// The place of a setting is the line to change; in a config file it is a key.
func TestSource(t *testing.T) {
	r := Resolved{Settings: []Setting{{Name: "name", Source: "ETCD_NAME (/etc/default/etcd:12)"}}}
	if got := r.Source("name"); got != "ETCD_NAME (/etc/default/etcd:12)" {
		t.Errorf("%q", got)
	}
	if got := r.Source("data-dir"); got != "" {
		t.Errorf("a default comes from %q", got)
	}
	r.ConfigFile = "/etc/etcd.yml"
	if got := r.Source("data-dir"); got != "data-dir in /etc/etcd.yml" {
		t.Errorf("%q", got)
	}
}
