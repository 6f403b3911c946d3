package filewatch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/test/poll"
)

// looks runs a watch and returns the channel that receives with each look.
func looks(t *testing.T, w Watch) <-chan struct{} {
	t.Helper()
	looked := make(chan struct{}, 1000)
	ended := make(chan struct{})
	inner := w.Look
	w.Look = func() (until time.Time) {
		if inner != nil {
			until = inner()
		}
		looked <- struct{}{}
		return until
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-looked
	return looked
}

// quick is well below the poll, so that only inotify can have told.
const quick = pollInterval * 4 / 5

func told(t *testing.T, looked <-chan struct{}) {
	t.Helper()
	select {
	case <-looked:
	case <-time.After(quick):
		t.Fatal("no look after the change")
	}
	for { // what is left of the same change
		select {
		case <-looked:
		case <-time.After(3 * settle):
			return
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Each way in which programs put a certificate in place.
func TestChanges(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, path, text string) { t.Helper(); must(t, os.WriteFile(path, []byte(text), 0o600)) }
	for name, play := range map[string]func(t *testing.T, dir string) (path string, steps []func()){
		"a file that comes": func(t *testing.T, dir string) (string, []func()) {
			path := filepath.Join(dir, "crt")
			return path, []func(){func() { write(t, path, "x") }, func() { write(t, path, "y") }, func() { must(t, os.Remove(path)) }}
		},
		"renamed into place": func(t *testing.T, dir string) (string, []func()) {
			path := filepath.Join(dir, "crt")
			write(t, path, "x")
			write(t, filepath.Join(dir, "new"), "y")
			return path, []func(){func() { must(t, os.Rename(filepath.Join(dir, "new"), path)) }}
		},
		"directories that come, too": func(t *testing.T, dir string) (string, []func()) {
			path := filepath.Join(dir, "a", "b", "crt")
			return path, []func(){
				func() { must(t, os.Mkdir(filepath.Join(dir, "a"), 0o700)) },
				func() { must(t, os.Mkdir(filepath.Join(dir, "a", "b"), 0o700)) },
				func() { write(t, path, "x") },
			}
		},
		"rights": func(t *testing.T, dir string) (string, []func()) {
			path := filepath.Join(dir, "crt")
			write(t, path, "x")
			return path, []func(){func() { must(t, os.Chmod(path, 0o640)) }}
		},
		// crt → ..data/crt, ..data → ..2026: the kubelet swaps ..data.
		"a directory behind a symlink that is swapped": func(t *testing.T, dir string) (string, []func()) {
			path := filepath.Join(dir, "crt")
			must(t, os.Symlink(filepath.Join("..data", "crt"), path))
			swap := func(to string) {
				must(t, os.MkdirAll(filepath.Join(dir, to), 0o700))
				write(t, filepath.Join(dir, to, "crt"), to)
				must(t, os.Symlink(to, filepath.Join(dir, "..tmp")))
				must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
			}
			return path, []func(){func() { swap("..1") }, func() { swap("..2") }}
		},
		// live/crt → ../archive/crt1: certbot makes the symlink anew.
		"a symlink to another directory": func(t *testing.T, dir string) (string, []func()) {
			for _, d := range []string{"live", "archive"} {
				must(t, os.Mkdir(filepath.Join(dir, d), 0o700))
			}
			path := filepath.Join(dir, "live", "crt")
			target := func(name string) func() {
				return func() {
					_ = os.Remove(path)
					must(t, os.Symlink(filepath.Join("..", "archive", name), path))
				}
			}
			return path, []func(){target("crt1"), func() { write(t, filepath.Join(dir, "archive", "crt1"), "x") }, target("crt2")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, steps := play(t, t.TempDir())
			looked := looks(t, Watch{Paths: []string{path}})
			for _, step := range steps {
				step()
				told(t, looked)
			}
		})
	}
}

// What happens to other files is not looked at.
func TestOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	looked := looks(t, Watch{Paths: []string{filepath.Join(dir, "crt")}})
	must(t, os.WriteFile(filepath.Join(dir, "log"), []byte("x"), 0o600))
	select {
	case <-looked:
		t.Error("looked")
	case <-time.After(10 * settle):
	}
	must(t, os.WriteFile(filepath.Join(dir, "crt"), []byte("x"), 0o600))
	told(t, looked)
}

// Where the kernel tells nothing the attributes do; the time that a look has
// named comes; and whoever asks is answered.
func TestWithoutTheKernel(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "crt")
	before := attributes([]string{path})
	for _, change := range []func() error{
		func() error { return os.WriteFile(path, []byte("x"), 0o600) },
		func() error { return os.WriteFile(path, []byte("yy"), 0o600) },
		func() error { return os.Chmod(path, 0o640) },
		func() error { return os.Remove(path) },
	} {
		must(t, change())
		poll.Eventually(t, func() error { // the clock of a file system ticks slowly
			if attributes([]string{path}) == before {
				return errors.New("no difference")
			}
			return nil
		})
		before = attributes([]string{path})
	}

	again := make(chan struct{})
	soon := time.Now().Add(time.Second)
	looked := looks(t, Watch{Paths: []string{path}, Again: again, Look: func() time.Time {
		if time.Now().Before(soon) {
			return soon
		}
		return time.Time{}
	}})
	again <- struct{}{}
	<-looked
	<-looked // the time has come
}

// Without inotify a change is seen with the next poll, and no look is made
// without one.
func TestPollAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crt")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var looked atomic.Int32
		go Watch{Paths: []string{path}, Look: func() time.Time { looked.Add(1); return time.Time{} }}.run(ctx, nil)
		for i, change := range []func() error{
			func() error { return nil },
			func() error { return os.WriteFile(path, []byte("x"), 0o600) },
			func() error { return os.WriteFile(path, []byte("yy"), 0o600) },
			func() error { return os.Remove(path) },
		} {
			synctest.Wait()
			must(t, change())
			time.Sleep(2*pollInterval + time.Second) // of the bubble
			synctest.Wait()
			if got := int(looked.Load()); got != i+1 {
				t.Errorf("%d looks after %d changes", got, i)
			}
		}
		cancel()
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	must(t, os.Symlink("../"+filepath.Base(dir)+"/none", filepath.Join(dir, "link")))
	for path, want := range map[string][]place{
		"link/../x": {{dir, "link"}, {filepath.Dir(dir), filepath.Base(dir)}, {dir, "none"}, {dir, "x"}},
		"a/./b":     {{dir, "a"}, {filepath.Join(dir, "a"), "b"}},
	} {
		got := places(dir + "/" + path)
		if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	if n := len(places(filepath.Join(dir, "loop"))); n < linksLimit || n > 2*linksLimit {
		t.Errorf("a loop: %d places", n)
	}
}
