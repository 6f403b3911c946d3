package supervisor

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-node/etcd-node/pkg/pipe"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// stream is the answer to a request for events, as it is written.
type stream struct {
	header http.Header
	code   int
	w      *io.PipeWriter
}

func (s *stream) Header() http.Header         { return s.header }
func (s *stream) WriteHeader(code int)        { s.code = code }
func (s *stream) Write(b []byte) (int, error) { return s.w.Write(b) }
func (s *stream) Flush()                      {}

// watch asks for events until end, and returns the states that come.
func watch(t *testing.T, h http.Handler) (states <-chan string, end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		h.ServeHTTP(&stream{header: http.Header{}, w: w}, httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil))
	}()
	come := make(chan string, 100)
	go func() {
		for lines := bufio.NewScanner(r); lines.Scan(); {
			var st status.Status
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); !ok {
				continue
			} else if err := json.Unmarshal([]byte(data), &st); err != nil {
				t.Error(err)
			}
			come <- string(st.State) + " " + st.View.Leader
		}
		close(come)
	}()
	return come, func() { cancel(); <-done }
}

// Who watches hears of each change, once, and nothing while nothing changes.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		states, end := watch(t, r.s.controls())
		want := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			for _, w := range want {
				select {
				case got := <-states:
					if got != w {
						t.Errorf("%s: %q, want %q", what, got, w)
					}
				default:
					t.Errorf("%s: nothing, want %q", what, w)
				}
			}
			select {
			case got := <-states:
				t.Errorf("%s: %q too", what, got)
			default:
			}
		}
		want("at first", "joining ")
		r.beat(10 * time.Second)
		want("while nothing changes")
		r.proc().serve()
		r.pass(eventPause)
		want("when it serves", "serving a")
		for range 10 { // more than anybody can read
			for _, leader := range []string{"b", "a"} {
				r.proc().view(status.View{Name: "a", Ready: true, Leader: leader, Members: single})
			}
		}
		r.proc().view(status.View{Name: "a", Ready: true, Leader: "b", Members: single})
		r.pass(2 * eventPause)
		want("after many", "serving b")
		end()
		r.stop()
	})
}

// Those who watch leave room for those who ask, and make room when they go.
func TestManyWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		h := r.s.controls()
		ask := func(path string) int {
			w := httptest.NewRecorder()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
			return w.Code
		}
		var ends []func()
		for range watchers {
			_, end := watch(t, h)
			ends = append(ends, end)
		}
		synctest.Wait()
		if code := ask("/events"); code != http.StatusServiceUnavailable {
			t.Errorf("one more: %d", code)
		}
		if code := ask("/status"); code != http.StatusOK {
			t.Errorf("who asks: %d", code)
		}
		ends[0]()
		if code := ask("/events"); code != http.StatusOK {
			t.Errorf("one for another: %d", code)
		}
		for _, end := range ends[1:] {
			end()
		}
		r.stop()
	})
}

func TestStatusOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		r.proc().messages <- pipe.Message{Kind: pipe.Beat}
		for path, want := range map[string]int{"/status": http.StatusOK, "/": http.StatusNotFound, "/status/x": http.StatusNotFound} {
			w := httptest.NewRecorder()
			r.s.controls().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if w.Code != want {
				t.Errorf("%s: %d", path, w.Code)
			}
			if st, _, err := status.Decode(w.Body.Bytes()); (err == nil) != (want == http.StatusOK) || err == nil && st.State != status.Joining {
				t.Errorf("%s: %+v, %v", path, st, err)
			}
		}
		r.stop()
	})
}
