package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var errHarm = errors.New("it would do harm")

func kindOfTest(err error) Kind {
	if errors.Is(err, errHarm) {
		return Refused
	}
	return ""
}

// An errand says what it says in its order, takes longer than other requests may, and
// ends as it ends.
func TestErrand(t *testing.T) {
	dir, _ := served(t, Errand(kindOfTest, func(ctx context.Context, body []byte, say func(string)) error {
		say("first")
		if bytes.Contains(body, []byte("slow")) {
			select {
			case <-time.After(readLimit + 500*time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		say("second\nline")
		if bytes.Contains(body, []byte("harm")) {
			return fmt.Errorf("no: %w", errHarm)
		}
		return nil
	}))
	for request, want := range map[string]string{"quick": "", "slow": "", "harm": "no: it would do harm"} {
		var said []string
		err := Do(t.Context(), dir, "/x", request, func(text string) { said = append(said, text) })
		var failed *Error
		switch {
		case want == "" && err != nil, want != "" && (!errors.As(err, &failed) || failed.Text != want || failed.Kind != Refused):
			t.Errorf("%s: %v", request, err)
		case !slices.Equal(said, []string{"first", "second\nline"}):
			t.Errorf("%s: said %q", request, said)
		}
	}
}

// Whoever goes takes his errand with him.
func TestErrandCallerGoes(t *testing.T) {
	ended := make(chan error, 1)
	dir, _ := served(t, Errand(kindOfTest, func(ctx context.Context, _ []byte, say func(string)) error {
		say("begun")
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	if err := Do(ctx, dir, "/x", nil, func(string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v", err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the errand goes on")
	}
}

// A body that is too large, that comes too slowly, or that never ends does nothing, and
// costs no more than a moment.
func TestErrandHostile(t *testing.T) {
	var done atomic.Int32
	dir, _ := served(t, Errand(kindOfTest, func(context.Context, []byte, func(string)) error { done.Add(1); return nil }))
	large := Do(t.Context(), dir, "/x", strings.Repeat("x", requestLimit), func(string) {})
	if large == nil {
		t.Error("a large body was taken")
	}
	for range 2 * callers {
		c := connect(t, dir)
		if _, err := io.WriteString(c, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
			t.Fatal(err)
		}
	}
	if err := Do(t.Context(), dir, "/x", "", func(string) {}); err != nil {
		t.Errorf("a proper errand beside them: %v", err)
	}
	if n := done.Load(); n != 1 {
		t.Errorf("%d errands were done", n)
	}
}

// Only root and the user of the daemon may change something, by what the kernel says of
// who has connected. The test binary calls itself as somebody else.
func TestForOwners(t *testing.T) {
	if at := os.Getenv("CALL_AT"); at != "" {
		err := Do(t.Context(), at, "/x", nil, func(string) {})
		fmt.Printf("answer: %v, forbidden: %v\n", err, errors.Is(err, fs.ErrPermission))
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("calls as another user: needs root")
	}
	var done atomic.Int32
	dir, _ := served(t, ForOwners(func(w http.ResponseWriter, r *http.Request) {
		done.Add(1)
		Errand(kindOfTest, func(context.Context, []byte, func(string)) error { return nil })(w, r)
	}))
	for _, path := range []string{dir, filepath.Join(dir, Socket)} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "test")
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	at, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[uint32]string{0: "answer: <nil>, forbidden: false", 65533: "forbidden: true"} {
		cmd := exec.Command(exe, "-test.run=^TestForOwners$")
		cmd.Env, cmd.Dir = []string{"CALL_AT=" + at}, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("UID %d: %v: %s", uid, err, out)
		}
	}
	if n := done.Load(); n != 1 {
		t.Errorf("%d were let through", n)
	}
}
