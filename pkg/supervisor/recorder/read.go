package recorder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// lineStart begins every record. Inside a record's texts JSON escapes the
// quotes, so that it also finds a record that follows garbage on its line.
var lineStart = []byte(`{"seq":`)

// Read returns the records in a directory, oldest first: all whole ones,
// whatever else the files hold. A file that is missing is not an error; one that
// cannot be read is.
func Read(dir string) ([]Record, error) {
	var recs []Record
	err := each(dir, func(r Record) {
		if len(recs) > 0 {
			r.Back = r.Time.Before(recs[len(recs)-1].Time)
		}
		recs = append(recs, r)
	})
	return recs, err
}

// lastSeq returns the highest number in a directory, as far as it can be read.
// It looks at the beginnings of lines only: the supervisor asks at each start,
// and decoding two full files costs it half a megabyte for good.
func lastSeq(dir string) uint64 {
	var highest uint64
	_ = eachLine(dir, 64, func(line []byte, _ bool) {
		if _, rest, ok := bytes.Cut(line, lineStart); ok {
			digits, _, _ := bytes.Cut(rest, []byte(","))
			if seq, err := strconv.ParseUint(string(digits), 10, 63); err == nil {
				highest = max(highest, seq)
			}
		}
	})
	return highest
}

// each calls do for every record.
func each(dir string, do func(Record)) error {
	return eachLine(dir, fileLimit, func(line []byte, whole bool) {
		if whole { // or it is longer than any record
			decode(line, do)
		}
	})
}

// eachLine calls do with the first limit bytes of every line, and whether that
// is all of it.
func eachLine(dir string, limit int, do func(line []byte, whole bool)) error {
	// The current file first: if it is rotated in between it is found again
	// as the previous one, and nothing is missed.
	current, err1 := open(dir, currentName)
	previous, err2 := open(dir, previousName)
	var errs []error
	for _, f := range []struct {
		*os.File
		err error
	}{{previous, err2}, {current, err1}} {
		switch {
		case errors.Is(f.err, fs.ErrNotExist):
		case f.err != nil:
			errs = append(errs, f.err)
		default:
			defer f.Close()
			if f.File == current && same(current, previous) {
				continue
			}
			if err := scan(f, limit, do); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// open opens a file of records. If somebody has put a pipe in its place, the
// reader does not wait for it.
func open(dir, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|unix.O_NONBLOCK, 0)
}

func same(f, g *os.File) bool {
	a, err1 := f.Stat()
	b, err2 := g.Stat()
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// scan calls do with the lines of one file. What is beyond the limit is never
// held.
func scan(r io.Reader, limit int, do func(line []byte, whole bool)) error {
	br := bufio.NewReaderSize(r, 4<<10)
	var line []byte
	for length := 0; ; {
		piece, err := br.ReadSlice('\n')
		length += len(piece)
		line = append(line, piece[:min(len(piece), limit-len(line))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		do(line, length <= limit)
		if err != nil {
			return nil
		}
		line, length = line[:0], 0
	}
}

// decode calls do for every record in a line: one, unless the file is damaged.
func decode(line []byte, do func(Record)) {
	for {
		i := bytes.Index(line, lineStart)
		if i < 0 {
			return
		}
		line = line[i:]
		// Only what stands before the next beginning can belong to this one.
		next := bytes.Index(line[1:], lineStart) + 1
		if next == 0 {
			next = len(line)
		}
		var r Record
		err := json.NewDecoder(bytes.NewReader(line[:next])).Decode(&r)
		if laterType := (*json.UnmarshalTypeError)(nil); errors.As(err, &laterType) { // a later version's field: without it, then
			err = nil
		}
		if err == nil && r.Seq > 0 && r.Kind != "" {
			do(shown.Copy(r)) // the service user may have written it, and root reads
		}
		line = line[next:]
	}
}
