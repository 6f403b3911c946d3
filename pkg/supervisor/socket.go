package supervisor

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/control"
	"github.com/etcd-node/etcd-node/pkg/metrics"
	"github.com/etcd-node/etcd-node/pkg/status"
)

const (
	// watchers may follow the events at a time, of all callers: who watches keeps a
	// connection, and others are to get an answer all the same.
	watchers = 8
	// eventLimit is how long one event may take to be written: a watcher who does not
	// read for so long is let go.
	eventLimit = 5 * time.Second
	// eventPause is between two events, at least: a node that comes and goes many times
	// a second is a blur for whoever looks at it.
	eventPause = 100 * time.Millisecond
	// eventSign is how often a comment is sent at least where there is no event. It
	// proves that the loop answers, and is well within [control.SilenceLimit].
	eventSign = 5 * time.Second
)

// ServeControl answers at the socket in a directory (package control) until ctx
// ends. It returns once the socket listens; done is closed when it no longer does.
//
// GET /metrics is the status as Prometheus metrics, GET /status as JSON, GET /events the same as server-sent events:
// the first at once, the others when it has changed. What changes something is in
// [Supervisor.errands].
func (s *Supervisor) ServeControl(ctx context.Context, dir string) (done <-chan struct{}, err error) {
	l, err := control.Listen(dir)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer l.Close()
		if err := control.Serve(ctx, l, s.controls(), s.opts.Log); err != nil {
			s.opts.Log.Warn("the control socket ended", zap.Error(err))
		}
	}()
	return ended, nil
}

func (s *Supervisor) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", s.getStatus)
	// One for all requests: a registry leaves a page or two behind each time.
	mux.Handle("GET /metrics", metrics.Handler(s.askedForMetrics))
	watching := make(chan struct{}, watchers)
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		select {
		case watching <- struct{}{}:
			defer func() { <-watching }()
			s.getEvents(w, r)
		default:
			http.Error(w, fmt.Sprintf("%d others watch already", watchers), http.StatusServiceUnavailable)
		}
	})
	s.errands(mux)
	return mux
}

func (s *Supervisor) getStatus(w http.ResponseWriter, r *http.Request) {
	st, ok := s.Status(r.Context())
	if !ok {
		http.Error(w, "the daemon is ending", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = st.Encode(w) // the caller went away: its affair
}

func (s *Supervisor) askedForMetrics() (status.Status, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), eventLimit)
	defer cancel()
	return s.Status(ctx)
}

func (s *Supervisor) getEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // there is nothing more to be read
	write := func(format string, args ...any) bool {
		_ = out.SetWriteDeadline(time.Now().Add(eventLimit))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && out.Flush() == nil
	}
	var last []byte
	var sent time.Time
	for {
		moved := s.moved.next()
		st, ok := s.Status(r.Context())
		if !ok {
			return
		}
		st.Goroutines = 0 // those that answer are among them
		event, pause := encoded(st), time.Duration(0)
		switch {
		case !bytes.Equal(event, last):
			if !write("event: status\ndata: %s\n\n", event) {
				return
			}
			last, sent, pause = event, time.Now(), eventPause
		case time.Since(sent) >= eventSign:
			if !write(":\n\n") {
				return
			}
			sent = time.Now()
		}
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
		select {
		case <-moved:
		case <-time.After(eventSign):
		case <-r.Context().Done():
			return
		}
	}
}

// encoded is a status as one line of JSON.
func encoded(st status.Status) []byte {
	var b bytes.Buffer
	_ = st.Encode(&b) // what it consists of can be encoded
	return bytes.TrimSpace(b.Bytes())
}
