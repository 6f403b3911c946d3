package terminal

import (
	"os"
	"strings"
	"testing"
)

func TestPaint(t *testing.T) {
	for text, want := range map[string]string{
		"a: serving: leader, 3 of 3 members\n":                                   "\x1b[32ma: serving\x1b[0m: leader, 3 of 3 members\n",
		"a: serving: no leader (writes wait for a quorum), x\n":                  "\x1b[31ma: serving: no leader (writes wait for a quorum)\x1b[0m, x\n",
		"a: backoff: killed\n":                                                   "\x1b[31ma: backoff\x1b[0m: killed\n",
		"  members   b 1 http://x  not connected\n            refused\n":         "  members   b 1 http://x  \x1b[31mnot connected\x1b[0m\n            refused\n",
		"  expires   in 29 days: renew soon  /etc/etcd/a.crt (cert-file)\n":      "  expires   \x1b[33min 29 days: renew soon\x1b[0m  /etc/etcd/a.crt (cert-file)\n",
		"  expires   in 6 days: renew NOW  /etc/etcd/a.crt (cert-file)\n":        "  expires   \x1b[31min 6 days: renew NOW\x1b[0m  /etc/etcd/a.crt (cert-file)\n",
		"  expires   in 364 days  /etc/etcd/a.crt (cert-file)\n":                 "",
		"  warning   it is long\n            and goes on\n  alarm     NOSPACE\n": "\x1b[33m  warning   it is long\x1b[0m\n\x1b[33m            and goes on\x1b[0m\n\x1b[31m  alarm     NOSPACE\x1b[0m\n",
		"  members   c 2 http://x  connected 0.4 ms\n":                           "",
		"  alarm     NOSPACE":                                                    "\x1b[31m  alarm     NOSPACE\x1b[0m",
	} {
		if want == "" {
			want = text
		}
		if got := Paint(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := Paint("\n" + text); !strings.HasSuffix(got, want) {
			t.Errorf("in its place: %q", got)
		}
	}
}

func TestNoColor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if HasColor(w) {
		t.Error("colour in a pipe")
	}
}
