package datadir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

const pageSize = 64

// page is one of the file's pages: a branch with one element, or a leaf with one
// whose key and value are so long.
func page(id uint64, flags, count uint16, overflow uint32, fields ...uint32) []byte {
	b := make([]byte, pageSize)
	binary.LittleEndian.PutUint64(b, id)
	binary.LittleEndian.PutUint16(b[8:], flags)
	binary.LittleEndian.PutUint16(b[10:], count)
	binary.LittleEndian.PutUint32(b[12:], overflow)
	for i, f := range fields {
		binary.LittleEndian.PutUint32(b[pageHeader+4*i:], f)
	}
	return b
}

// Whatever a page says of itself, it is an error at most, and soon.
func TestPages(t *testing.T) {
	zero := page(0, leafFlag, 0, 0)
	for name, tc := range map[string]struct {
		pages []byte
		want  string // "": it can be read
	}{
		"one key":                   {page(1, leafFlag, 1, 0, 0, 16, 1, 2), ""},
		"a circle":                  {page(1, branchFlag, 1, 0, 0, 0, 1, 0), "circle"},
		"elements beyond the page":  {page(1, leafFlag, 9, 0), "would have 9 elements"},
		"a value beyond the page":   {page(1, leafFlag, 1, 0, 0, 16, 1, 0xffffffff), "beyond its page"},
		"a key far beyond it":       {page(1, leafFlag, 1, 0, 0, 0xffffffff, 0xffffffff, 1), "beyond its page"},
		"continued for too long":    {page(1, leafFlag, 1, 0xffffffff), "says that it has"},
		"continued behind the file": {page(1, leafFlag, 1, 9), "behind the end"},
		"another page":              {page(2, leafFlag, 0, 0), "says that it is page 2"},
		"of no type":                {page(1, 7, 0, 0), "has the type 0x7"},
		"points behind the file":    {page(1, branchFlag, 1, 0, 0, 0, 99, 0), "behind the end"},
		"points nowhere":            {page(1, branchFlag, 1, 0, 0, 0, 0, 1<<31), "points to page"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pages{file: bytes.NewReader(append(bytes.Clone(zero), tc.pages...)), size: pageSize, left: 100}
			keys := 0
			err := p.bucket(1, func(k, v []byte) error { keys++; return nil })
			switch {
			case tc.want == "" && (err != nil || keys != 1):
				t.Errorf("%d keys, %v", keys, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !errors.As(err, new(damaged))):
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	p := &pages{file: bytes.NewReader(zero), size: pageSize, left: 100}
	for _, n := range []int{0, bucketHeader - 1, bucketHeader, bucketHeader + pageHeader - 1} { // a root of 0: it stands inside
		if err := p.inside(make([]byte, n), nil); !errors.As(err, new(damaged)) {
			t.Errorf("a bucket of %d bytes: %v", n, err)
		}
	}
}
