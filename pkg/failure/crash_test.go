package failure

import "testing"

// Where the program was tells more than the words. TestProvoked has the same from
// the real etcd.
func TestFromCrash(t *testing.T) {
	const (
		slice   = "panic: runtime error: slice bounds out of range [:7] with capacity 3\n\n"
		pointer = "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\n"
		message = "panic: unmarshal should never fail (proto: cannot parse invalid wire-format data)\n\n"
		here    = "goroutine 7 gp=0xc0 m=3 mp=0xc1 [running]:\n"
		other   = "\ngoroutine 9 [runnable]:\n"
		bbolt   = "go.etcd.io/bbolt.(*Tx).page(0xc2)\n\t/go/pkg/mod/go.etcd.io/bbolt@v1.5.0/tx.go:1 +0x1\n"
		within  = "go.etcd.io/bbolt/internal/common.(*Page).LeafPageElement(...)\n\t/go/page.go:1\n"
		etcd    = "go.etcd.io/etcd/server/v3/storage/mvcc.(*store).restore(0xc2)\n\t/go/store.go:1\n"
		stream  = "go.etcd.io/etcd/pkg/v3/pbutil.MustUnmarshalMessage(...)\n\t/go/pbutil.go:1\ngo.etcd.io/etcd/server/v3/etcdserver/api/rafthttp.(*msgAppV2Decoder).decode(0xc2)\n\t/go/codec.go:1\n"
		log     = "go.etcd.io/etcd/pkg/v3/pbutil.MustUnmarshalMessage(...)\n\t/go/pbutil.go:1\ngo.etcd.io/etcd/server/v3/storage/wal.MustUnmarshalEntry(0xc2)\n\t/go/decoder.go:1\n"
		runtime = "panic({0x1, 0x2})\n\t/go/src/runtime/panic.go:1\nruntime.goPanicSliceAcap(0x7, 0x3)\n\t/go/src/runtime/panic.go:2\n"
		caught  = "go.uber.org/zap.(*Logger).Panic(0x1)\n\t/go/zap.go:1\n"
		library = "slices.BinarySearchFunc[...](...)\n\t/go/src/slices/sort.go:1\nencoding/binary.littleEndian.Uint64(...)\n\t/go/src/binary.go:1\n"
		creator = "created by go.etcd.io/bbolt.Open in goroutine 1\n\t/go/db.go:1\n"
	)
	for name, tc := range map[string]struct{ crash, want string }{
		"bbolt":                            {slice + here + bbolt + etcd, IDDamaged},
		"deep in bbolt":                    {pointer + here + within + bbolt, IDDamaged},
		"with the runtime's frames":        {slice + here + runtime + bbolt + etcd, IDDamaged},
		"caught, and panicked anew":        {slice + here + caught + runtime + bbolt + etcd, IDDamaged},
		"in Go's library, called by bbolt": {slice + here + library + bbolt, IDDamaged},
		"etcd, called by nobody of bbolt":  {slice + here + etcd + other + bbolt, ""},
		"etcd, called by bbolt":            {slice + here + etcd + bbolt, ""},
		"a goroutine that bbolt began":     {slice + here + etcd + creator, ""},
		"bbolt, a panic of its own":        {"panic: something new\n\n" + here + bbolt, ""},
		"bbolt, a panic that is known":     {"panic: assertion failed: Page expected to be\n\n" + here + bbolt, IDDamaged},
		"a message":                        {message + here + stream, IDMessage},
		"an entry of the log":              {message + here + log, IDDamaged},
		"an entry, beside a stream":        {message + here + log + other + stream, IDDamaged},
		"nothing":                          {"", ""},
		"no stack":                         {slice, ""},
	} {
		got := ""
		if f := FromCrash(tc.crash); f != nil {
			got = f.ID
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
