package datadir

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
)

// TestFramesAgreeWithEtcd holds the reader of frames against etcd's decoder:
// on a real log, and on the same log with any bytes of it broken. Both must
// come equally far.
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
	path := filepath.Join(t.TempDir(), "broken")
	compare := func(seed uint64, b []byte) (records int) {
		must(t, os.WriteFile(path, b, 0o600))
		theirs, theirErr := etcdReads(t, path)
		ours, ourErr := weRead(t, path)
		if len(theirs) != len(ours) || (theirErr == nil) != (ourErr == nil) {
			t.Fatalf("seed %d: etcd reads %d records (%v), we %d (%v)", seed, len(theirs), theirErr, len(ours), ourErr)
		}
		for i := range ours {
			if !bytes.Equal(ours[i], theirs[i]) {
				t.Fatalf("seed %d: record %d: %x, want %x", seed, i, ours[i], theirs[i])
			}
		}
		return len(ours)
	}
	if n := compare(0, append(used, make([]byte, 4096)...)); n < 60 {
		t.Fatalf("only %d records", n)
	}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := bytes.Clone(used)
		at := r.IntN(len(b))
		switch seed % 4 {
		case 0: // ends early
			b = b[:at]
		case 1: // ends early, in allocated space
			clear(b[at:])
		case 2: // one bit
			b[at] ^= 1 << r.IntN(8)
		case 3: // a sector of zeros
			clear(b[at:min(at+512, len(b))])
		}
		compare(seed, b)
	}
}

func etcdReads(t *testing.T, path string) (out [][]byte, err error) {
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	dec := wal.NewDecoder(fileutil.NewFileReader(f))
	for {
		var rec walpb.Record
		if err := dec.Decode(&rec); err != nil {
			return out, notEnd(err)
		}
		if rec.GetType() == wal.CrcType {
			dec.UpdateCRC(rec.GetCrc())
		}
		out = append(out, append([]byte{byte(rec.GetType())}, rec.Data...))
	}
}

func weRead(t *testing.T, path string) (out [][]byte, err error) {
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
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
