package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/pkg/durable"
)

const (
	currentName  = "recorder.jsonl"
	previousName = "recorder.1.jsonl"
	// fileLimit holds weeks of ordinary life, or four hangs with their dumps.
	fileLimit = 1 << 20
	// fileMode: the service's group may read. Set whatever the umask is, which
	// the unit sets to 0077.
	fileMode = 0o640
)

// append writes records and brings them to the disk. It returns how many were
// written, whatever the error. The files are opened each time: events are
// rare, and so nothing has to be noticed when a directory is mounted, emptied
// or repaired.
func (r *Recorder) append(recs []Record) (n int, err error) {
	if r.seq == 0 {
		r.seq = lastSeq(r.dir)
	}
	f, err := openAppend(r.dir)
	if err != nil {
		return 0, err
	}
	defer func() { f.Close() }() // f is another one after a rotation
	for _, rec := range recs {
		rec.Seq = r.seq + 1
		if rec.Kind == Start {
			r.boot, rec.Format = rec.Boot, Format
		}
		line, err := encode(rec)
		if err != nil {
			return n, err
		}
		before := f
		if f, err = rotate(r.dir, f, len(line)); err != nil {
			return n, err
		}
		if f != before { // the record of the start will be gone one day
			rec.Boot, rec.Format = r.boot, Format
			if line, err = encode(rec); err != nil {
				return n, err
			}
		}
		if _, err := f.Write(line); err != nil {
			return n, err
		}
		r.seq++
		n++
	}
	return n, f.Sync()
}

func encode(rec Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // "->" stays readable in an editor
	err := e.Encode(rec)
	return b.Bytes(), err
}

// openAppend opens the current file. Where its last line is torn, by a crash
// or a full disk, that line is ended so that the next record stands alone.
func openAppend(dir string) (*os.File, error) {
	// Links are not followed: root may be writing.
	f, err := os.OpenFile(filepath.Join(dir, currentName), os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, fileMode)
	if err != nil {
		return nil, err
	}
	if err := prepare(f, dir); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func prepare(f *os.File, dir string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.Name())
	}
	if info.Mode().Perm() != fileMode {
		if err := f.Chmod(fileMode); err != nil {
			return err
		}
	}
	size := info.Size()
	if size == 0 {
		return durable.SyncDir(dir) // the file may be new
	}
	end := make([]byte, 1)
	if _, err := f.ReadAt(end, size-1); err != nil {
		return err
	}
	if end[0] != '\n' {
		_, err = f.Write([]byte{'\n'})
	}
	return err
}

// rotate returns the file that has room for n more bytes: f, or a new one.
func rotate(dir string, f *os.File, n int) (*os.File, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 || info.Size()+int64(n) <= fileLimit {
		return f, err
	}
	if err := f.Sync(); err != nil {
		return f, err
	}
	if err := os.Rename(filepath.Join(dir, currentName), filepath.Join(dir, previousName)); err != nil {
		return f, err
	}
	next, err := openAppend(dir)
	if err != nil {
		return f, err
	}
	f.Close()
	return next, nil
}
