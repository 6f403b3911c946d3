package recorder

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// LogPipeSize is how much of the member's log waits in the pipe for a
// supervisor that does not read: some 1,500 lines. A kernel that is asked for
// more than its user may have refuses, and the pipe keeps its 64 KiB.
const LogPipeSize = 256 << 10

// LastLines reads the member's end of the log pipe until that is closed, and
// returns its last lines within the limits of a record, oldest first. What the
// member wrote before a SIGKILL is in the pipe, and so among them.
func LastLines(r io.Reader) []string {
	var t tail
	_ = scan(r, textLimit, func(line []byte, whole bool) { // an error ends the lines, as the end does
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 {
			if !whole {
				line = append(line, "…"...)
			}
			t.add(string(line))
		}
	})
	return t.lines
}

// tail is the last lines that are within the limits.
type tail struct {
	lines []string
	size  int
}

func (t *tail) add(line string) {
	t.lines = append(t.lines, line)
	for t.size += len(line); t.size > linesBytes || len(t.lines) > linesLimit; t.lines = t.lines[1:] {
		t.size -= len(t.lines[0])
		t.lines[0] = "" // what is left of the array does not keep it
	}
}

// LineWriter is the member's end of the log pipe. It never waits: the lines of
// etcd's raft loop go through it. What a full pipe does not take is lost, and
// counted. It is safe for concurrent use.
type LineWriter struct {
	pipe syscall.RawConn
	lost int // lines since the last one that was taken; within pipe.Write, one at a time
}

// NewLineWriter returns a writer into a pipe that is in non-blocking mode.
func NewLineWriter(f *os.File) (*LineWriter, error) {
	pipe, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("pipe for the last log lines: %w", err)
	}
	return &LineWriter{pipe: pipe}, nil
}

// lineLimit is the most of a line that is sent; a line of etcd's has 100 to 300
// bytes. With the note on lost ones it is far less than PIPE_BUF, 4096, up to
// which the kernel takes a write whole or not at all.
const lineLimit = textLimit - len("…\n")

// write sends one line.
func (w *LineWriter) write(line []byte) {
	line = bytes.ReplaceAll(line, []byte("\n"), []byte(" "))
	if len(line) > lineLimit {
		line = append(line[:lineLimit:lineLimit], "…"...)
	}
	_ = w.pipe.Write(func(fd uintptr) bool { // an error: the pipe is closed
		text := append(line[:len(line):len(line)], '\n')
		if w.lost > 0 {
			text = fmt.Appendf(nil, "(lost before this one, because the supervisor did not read: %s)\n%s", shown.Count(w.lost, "line"), text)
		}
		if _, err := unix.Write(int(fd), text); err != nil {
			w.lost++
		} else {
			w.lost = 0
		}
		return true // whatever came of it: false would wait for room
	})
}
