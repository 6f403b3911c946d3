package pipe

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// ErrMalformed marks the error of one bad line; reading may go on.
var ErrMalformed = errors.New("malformed message")

// ErrTooLong marks a message that no reader would take.
var ErrTooLong = errors.New("message too long")

// Writer sends messages. It is safe for concurrent use.
type Writer struct {
	mu      sync.Mutex
	w       io.Writer
	timeout time.Duration
	broken  bool // the last line was cut off
}

// NewWriter returns a writer on w. Where w is a file with deadlines (a pipe
// in non-blocking mode) a message that cannot be written within timeout is
// given up: a member must not hang because its supervisor does.
func NewWriter(w io.Writer, timeout time.Duration) *Writer {
	return &Writer{w: w, timeout: timeout}
}

// Send writes one message as one line in one write. The version is filled in.
func (w *Writer) Send(m Message) error {
	m.Version = Version
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s message: %w", m.Kind, err)
	}
	if len(line)+1 > MaxLine {
		return fmt.Errorf("send %s message: %w: %d bytes are more than %d", m.Kind, ErrTooLong, len(line)+1, MaxLine)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, ok := w.w.(*os.File); ok {
		// Fails on a file without deadlines, which then simply blocks.
		_ = f.SetWriteDeadline(time.Now().Add(w.timeout))
	}
	line = append(line, '\n')
	if w.broken {
		line = append([]byte{'\n'}, line...) // ends the torn line, or the reader would lose this one too
	}
	n, err := w.w.Write(line)
	if n > 0 {
		w.broken = n < len(line)
	}
	if err != nil {
		return fmt.Errorf("send %s message: %w", m.Kind, err)
	}
	return nil
}

// Reader receives messages. It is for one goroutine.
type Reader struct{ r *bufio.Reader }

// NewReader returns a reader on r.
func NewReader(r io.Reader) *Reader {
	// Small on purpose: the supervisor keeps one for its whole life, and
	// longer lines are put together piece by piece.
	return &Reader{bufio.NewReaderSize(r, 4<<10)}
}

// Next returns the next message; the texts of its view and failure are fit to
// be shown. An error that is [ErrMalformed] concerns one line only; any other,
// io.EOF among them, ends the conversation.
func (r *Reader) Next() (Message, error) {
	line, err := r.line()
	if err != nil {
		return Message{}, err
	}
	var m Message
	if err := json.Unmarshal(line, &m); err != nil {
		return Message{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if m.Version != Version {
		return Message{}, fmt.Errorf("%w: version %d, want %d", ErrMalformed, m.Version, Version)
	}
	// Its texts are shown. Secrets and the pin are not: they stay what they are.
	m.View, m.Failure, m.Text = shown.Copy(m.View), shown.Copy(m.Failure), shown.Text(m.Text)
	m.Node = shown.Copy(m.Node)
	return m, nil
}

// Rest delivers the messages that follow, without those that are malformed, and
// is closed when the conversation has ended.
func (r *Reader) Rest() <-chan Message {
	rest := make(chan Message)
	go func() {
		defer close(rest)
		for {
			m, err := r.Next()
			switch {
			case err == nil:
				rest <- m
			case !errors.Is(err, ErrMalformed):
				return
			}
		}
	}()
	return rest
}

// line returns the next line without its end, or skips it whole when it is
// longer than MaxLine. A last line without an end was cut off: it is dropped.
func (r *Reader) line() ([]byte, error) {
	var line []byte
	for length := 0; ; {
		piece, err := r.r.ReadSlice('\n')
		length += len(piece)
		if length <= MaxLine {
			line = append(line, piece...)
		}
		switch {
		case err == nil && length > MaxLine:
			return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrMalformed, length, MaxLine)
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return nil, err
		}
	}
}
