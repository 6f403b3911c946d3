package datadir

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
)

// TestFramesAgreeWithEtcd holds the reader of frames against etcd's decoder:
// on a real log, on it with each of its bits turned around, and with any bytes
// of it broken. Both must come equally far and read the same.
func TestFramesAgreeWithEtcd(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.SnapshotCount = 20
	start(t, s).serves(60).kill()
	files, err := filepath.Glob(filepath.Join(s.Dir, "member", "wal", "*.wal"))
	must(t, err)
	whole, err := os.ReadFile(files[0])
	must(t, err)
	used := bytes.TrimRight(whole, "\x00")
	if n := agree(t, "whole", append(used, make([]byte, 4096)...)); n < 60 {
		t.Fatalf("only %d records", n)
	}
	// One bit of each byte: all eight take most of a minute. The log is another one
	// in each run, and so is the bit.
	first := rand.IntN(8)
	for at := range len(used) {
		bit := (at + first) % 8
		b := bytes.Clone(used)
		b[at] ^= 1 << bit
		agree(t, fmt.Sprintf("bit %d of byte %d", bit, at), b)
	}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := bytes.Clone(used)
		at := r.IntN(len(b))
		var what string
		switch seed % 4 {
		case 0:
			what = "ends early"
			b = b[:at]
		case 1:
			what = "ends early, in allocated space"
			clear(b[at:])
		case 2:
			what = "a few bytes"
			for i := range b[at:min(at+8, len(b))] {
				b[at+i] = byte(r.Uint32())
			}
		case 3:
			what = "a sector of zeros"
			clear(b[at:min(at+512, len(b))])
		}
		agree(t, fmt.Sprintf("%s at %d, seed %d", what, at, seed), b)
	}
}

// TestFramesOfFields has what a bit of a real log makes of a record only where
// its checksum happens to have the right bytes.
func TestFramesOfFields(t *testing.T) {
	for what, record := range map[string][]byte{
		"the data under the checksum's number":   {0x08, 1, 0x10, 7, 0x12, 2, 'a', 'b'},
		"an empty record and a stray number":     {0x08, 3, 0x10, 0, 0x18, 0},
		"data, and a number in the data's place": {0x08, 3, 0x10, 0xb0, 0x86, 0xc1, 0x8e, 0xc, 0x1a, 1, 'a', 0x18, 0},
		"the type as bytes":                      {0x0a, 1, 4, 0x10, 0},
		"the checksum as a fixed number":         {0x08, 1, 0x15, 0, 0, 0, 0},
		"the type twice":                         {0x08, 1, 0x08, 4, 0x10, 9},
	} {
		b := append([]byte{byte(len(record)), 0, 0, 0, 0, 0, 0, 0}, record...)
		agree(t, what, b)
	}
}

// agree returns the number of records in b.
func agree(t *testing.T, what string, b []byte) int {
	t.Helper()
	theirs, theirErr := etcdReads(t, file(t, b))
	ours, ourErr := weRead(t, file(t, b))
	if len(theirs) != len(ours) || (theirErr == nil) != (ourErr == nil) {
		t.Fatalf("%s: etcd reads %d records (%v), we %d (%v)", what, len(theirs), theirErr, len(ours), ourErr)
	}
	for i := range ours {
		if !bytes.Equal(ours[i], theirs[i]) {
			t.Fatalf("%s: record %d: %x, want %x", what, i, ours[i], theirs[i])
		}
	}
	return len(ours)
}

// file is a WAL file in memory, as etcd's decoder and ours take one.
func file(t *testing.T, b []byte) walFile {
	t.Helper()
	f, err := fstest.MapFS{"wal": {Data: b}}.Open("wal")
	must(t, err)
	return walFile{f}
}

type walFile struct{ fs.File }

func (f walFile) FileInfo() (fs.FileInfo, error) { return f.Stat() }

func etcdReads(t *testing.T, f walFile) (out [][]byte, err error) {
	dec := wal.NewDecoder(f)
	for {
		var rec walpb.Record
		if err := dec.Decode(&rec); err != nil {
			return out, notEnd(err)
		}
		if rec.GetType() == wal.CrcType { // as in etcd's WAL.ReadAll
			if sum := dec.LastCRC(); sum != 0 && rec.Validate(sum) != nil {
				return out, wal.ErrCRCMismatch
			}
			dec.UpdateCRC(rec.GetCrc())
		}
		out = append(out, append([]byte{byte(rec.GetType())}, rec.Data...))
	}
}

func weRead(t *testing.T, f walFile) (out [][]byte, err error) {
	r, err := newFrames(f)
	must(t, err)
	for {
		kind, data, err := r.next()
		if err != nil {
			return out, notEnd(err)
		}
		out = append(out, append([]byte{byte(kind)}, data...))
	}
}

func notEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
