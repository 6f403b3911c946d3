package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// requestLimit is more than an environment has in bytes: the kernel gives a process
// 128 KiB for one variable, and systemd's are read from a file of an operator's.
const requestLimit = 1 << 20

// line is one line of the answer to an errand: what it says on the way, or how it
// ended.
type line struct {
	Say   string `json:"say,omitempty"`
	End   bool   `json:"end,omitempty"`
	Error string `json:"error,omitempty"`
	Kind  Kind   `json:"kind,omitempty"`
}

// Kind says what an error of an errand means.
type Kind string

// The kinds; "" is any other.
const (
	Refused Kind = "refused" // nothing was done: it would have done harm, or its turn did not come
	Invalid Kind = "invalid" // nothing was done: what was asked for is wrong
)

// Error is how an errand has failed.
type Error struct {
	Text string
	Kind Kind
}

func (e *Error) Error() string { return e.Text }

// Errand answers a request that takes its time with a line of JSON for each word on
// the way, and a last one for the end. kindOf says what an error of do means. The context
// ends when the caller goes.
func Errand(kindOf func(error) Kind, do func(ctx context.Context, body []byte, say func(string)) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, requestLimit))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out := http.NewResponseController(w)
		_ = out.SetReadDeadline(time.Time{}) // there is nothing more to be read
		w.Header().Set("Content-Type", "application/x-ndjson")
		write := func(l line) {
			_ = out.SetWriteDeadline(time.Now().Add(writeLimit))
			text, _ := json.Marshal(l)
			_, _ = w.Write(append(text, '\n'))
			_ = out.Flush()
		}
		end := line{End: true}
		if err := do(r.Context(), body, func(text string) { write(line{Say: text}) }); err != nil {
			end.Error, end.Kind = err.Error(), kindOf(err)
		}
		write(end)
	}
}

// Do has the daemon with its socket in a directory go on an errand, and tells say what
// it says on the way. It takes as long as the errand does; the end of ctx takes the
// errand back as far as that is possible. The error is an [*Error] if the daemon has
// said how it failed.
func Do(ctx context.Context, dir, path string, request any, say func(string)) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	answer, err := open(ctx, dir, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Close()
	lines := bufio.NewScanner(answer)
	lines.Buffer(nil, answerLimit)
	for lines.Scan() {
		var l line
		switch err := json.Unmarshal(lines.Bytes(), &l); {
		case err != nil:
			return fmt.Errorf("the daemon answers something else: %w", err)
		case l.End && l.Error != "":
			return &Error{l.Error, l.Kind}
		case l.End:
			return nil
		}
		say(l.Say)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the daemon ended meanwhile")
}
