package pipe

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestRoundTrip(t *testing.T) {
	f := failure.New(failure.IDRemoved, "etcd's words")
	want := []Message{
		{Version: Version, Kind: Beat},
		{Version: Version, Kind: View, View: &status.View{Name: "etcd-1", Ready: true, Members: []status.Member{{Name: "ü", Cause: "a\nb"}}}},
		{Version: Version, Kind: Failing, Failure: f},
		{Version: Version, Kind: Start, Secrets: map[string]string{"discovery-password": "x"}},
	}
	var b bytes.Buffer
	w := NewWriter(&b, time.Second)
	for _, m := range want {
		if err := w.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader(&b)
	for _, m := range want {
		got, err := r.Next()
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v; want %+v", got, err, m)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// A bad line costs itself and nothing else.
func TestBadLines(t *testing.T) {
	good := `{"v":1,"kind":"beat"}` + "\n"
	for name, bad := range map[string]string{
		"not JSON":        "hello\n",
		"empty":           "\n",
		"other version":   `{"v":2,"kind":"beat"}` + "\n",
		"wrong type":      `{"v":1,"kind":7}` + "\n",
		"oversized":       strings.Repeat("x", MaxLine+1) + "\n",
		"much too long":   strings.Repeat("x", 5*MaxLine) + "\n",
		"binary":          "\x00\xff\xfe\n",
		"deep":            strings.Repeat("[", 30000) + "\n",
		"longest allowed": `{"v":3,"kind":"` + strings.Repeat("x", MaxLine-17) + "\"}\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(strings.NewReader(good + bad + good))
			for i := range 3 {
				m, err := r.Next()
				if i == 1 {
					if !errors.Is(err, ErrMalformed) {
						t.Errorf("bad line: %v", err)
					}
				} else if err != nil || m.Kind != Beat {
					t.Errorf("line %d: %+v, %v", i, m, err)
				}
			}
		})
	}
}

func TestLineCutOffIsDropped(t *testing.T) {
	if m, err := NewReader(strings.NewReader(`{"v":1,"kind":"beat"}`)).Next(); err != io.EOF {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestSendRefusesWhatNobodyWouldRead(t *testing.T) {
	var b bytes.Buffer
	if err := NewWriter(&b, time.Second).Send(note(MaxLine)); !errors.Is(err, ErrTooLong) || b.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, b.Len())
	}
}

// A supervisor that does not read must not stop its member.
func TestSendDoesNotBlock(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := NewWriter(w, 10*time.Millisecond)
	for range 1000 { // the pipe holds 64 KiB
		if err = out.Send(note(1000)); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestConcurrentSendsKeepLinesWhole(t *testing.T) {
	r, w := io.Pipe()
	out := NewWriter(w, time.Second)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := out.Send(note(5000)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { wg.Wait(); w.Close() }()
	in, n := NewReader(r), 0
	for {
		_, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 400 {
		t.Errorf("%d messages", n)
	}
}

// note is a message of at least n bytes.
func note(n int) Message {
	return Message{Kind: View, View: &status.View{Progress: strings.Repeat("x", n)}}
}

// The member's texts are shown to root at a terminal. Secrets and the pin are
// for this program alone, and arrive as they were sent.
func TestTextsAreFitToBeShown(t *testing.T) {
	const hostile, shown = "\x1b[2K http://u:secretpw@h", "?[2K http://(redacted)@h"
	var b bytes.Buffer
	pin := identity.Pin{Name: hostile}
	for _, m := range []Message{
		{Kind: View, View: &status.View{Name: hostile, Alarms: []string{hostile}, Members: []status.Member{{PeerURLs: []string{hostile}, Cause: hostile}}}},
		{Kind: Failing, Failure: &failure.Failure{ID: hostile, Cause: hostile, Detail: hostile, Next: []string{hostile}, Values: map[string]string{"name": hostile}}},
		{Kind: Start, Secrets: map[string]string{"password": hostile}, Guard: Guard{Pin: &pin}},
	} {
		if err := NewWriter(&b, time.Second).Send(m); err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader(&b)
	view, _ := r.Next()
	if want := (status.View{Name: shown, Alarms: []string{shown}, Members: []status.Member{{PeerURLs: []string{shown}, Cause: shown}}}); !view.View.Equal(want) {
		t.Errorf("%+v", view.View)
	}
	failing, _ := r.Next()
	if f := failing.Failure; f.ID != shown || f.Cause != shown || f.Detail != shown || f.Next[0] != shown || f.Values["name"] != shown {
		t.Errorf("%+v", f)
	}
	start, err := r.Next()
	if err != nil || start.Secrets["password"] != hostile || start.Guard.Pin.Name != hostile {
		t.Errorf("%+v, %v", start, err)
	}
}

// The guard holds with a pin that is damaged, unreadable, or of a later version.
func TestGuardReads(t *testing.T) {
	for content, want := range map[string]struct {
		guard  Guard
		notice string
	}{
		"":                                    {},
		"{}":                                  {Guard{Damage: "the pin is damaged: PATH names no member"}, "a new one is written as soon as the member has stored something"},
		`{"clusterId": "c", "memberId": "m"}`: {Guard{Pin: &identity.Pin{ClusterID: "c", MemberID: "m"}}, ""},
		`{"format": 2, "clusterId": "c", "memberId": "m"}`: {Guard{Pin: &identity.Pin{ClusterID: "c", MemberID: "m"}}, "a later version of etcd-node (format 2): PATH; this version reads it as far as it knows it, and leaves it alone"},
		`{"format": 2, "id": "c/m"}`:                       {Guard{Damage: "the pin is damaged: the pin was written by a later version of etcd-node (format 2): PATH"}, "a new one is written"},
	} {
		s := identity.Store{Dir: t.TempDir()}
		if content != "" {
			if err := os.WriteFile(s.Path(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var g Guard
		notice := strings.ReplaceAll(g.Read(s), s.Path(), "PATH")
		g.Damage = strings.ReplaceAll(g.Damage, s.Path(), "PATH")
		if !reflect.DeepEqual(g, want.guard) || !strings.Contains(notice, want.notice) || (notice == "") != (want.notice == "") {
			t.Errorf("%s: %+v, %q; want %+v, %q", content, g, notice, want.guard, want.notice)
		}
	}
	var g Guard
	loop := identity.Store{Dir: t.TempDir()}
	if err := os.Symlink("x", loop.Dir+"/x"); err != nil {
		t.Fatal(err)
	}
	loop.Dir += "/x" // too many links
	if notice := g.Read(loop); g.Unreadable == "" || g.Pin != nil || notice == "" {
		t.Errorf("%+v, %q", g, notice)
	}
}

// A line that was torn by a deadline must not take the next one along.
func TestTornLineCostsOneMessage(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&tearing{w: &b, after: 10}, time.Second)
	if err := w.Send(note(100)); err == nil {
		t.Fatal("the first write was not torn")
	}
	if err := w.Send(Message{Kind: Beat}); err != nil {
		t.Fatal(err)
	}
	r := NewReader(&b)
	if _, err := r.Next(); !errors.Is(err, ErrMalformed) {
		t.Errorf("torn line: %v", err)
	}
	if m, err := r.Next(); err != nil || m.Kind != Beat {
		t.Errorf("next line: %+v, %v", m, err)
	}
}

// tearing cuts its first write off.
type tearing struct {
	w     io.Writer
	after int
}

func (t *tearing) Write(p []byte) (int, error) {
	if n := t.after; n > 0 {
		t.after = 0
		t.w.Write(p[:n])
		return n, os.ErrDeadlineExceeded
	}
	return t.w.Write(p)
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"v":1,"kind":"beat"}` + "\n"))
	f.Add([]byte("{\n\n\x00" + `{"v":1,"kind":"view","view":{"members":[{}]}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data))
		for range len(data) + 2 {
			if _, err := r.Next(); err != nil && !errors.Is(err, ErrMalformed) {
				return
			}
		}
		t.Fatal("the reader does not come to an end")
	})
}
