package datadir

import (
	"encoding/binary"
	"fmt"
	"io"
)

// pages reads buckets from the pages of a bbolt file. bbolt itself trusts what
// is in a page: it makes slices of any length at any place from it. Where a
// small bucket stands inside another's page and was copied to the heap, they
// point at other objects there, and the runtime ends the process ("found bad
// pointer in Go heap"), which nothing can recover from. Here each number is
// held against the bytes that there are.
type pages struct {
	file io.ReaderAt
	size int64 // of a page, in bytes
	left int   // how many more may be read: in damaged pages a tree can be a circle
}

// Of the format (bbolt's internal/common): a page begins with its ID (8 bytes),
// flags (2), the number of its elements (2) and of the pages that continue it
// (4). The elements follow, 16 bytes each; where their keys and values are
// counts from the beginning of the element.
const (
	pageHeader, element = 16, 16
	branchFlag          = 1
	leafFlag            = 2
	bucketHeader        = 16
)

// The buckets that are read here (the root's, meta, cluster and members) have a
// page or two each. Both limits are far above that, and below what would take
// memory or time.
const (
	maxPages     = 10_000
	maxPageBytes = 16 << 20
)

// damaged is why a page makes no sense.
type damaged string

func (d damaged) Error() string { return "the database cannot be read: " + string(d) }

// bucket calls f for each key of the bucket with this root page, in order.
func (p *pages) bucket(root uint64, f func(key, value []byte) error) error {
	if p.left--; p.left < 0 {
		return damaged("its pages form a circle, or are far more than they should be")
	}
	header := make([]byte, pageHeader)
	if err := p.read(root, header); err != nil {
		return err
	}
	if id := binary.LittleEndian.Uint64(header); id != root {
		return damaged(fmt.Sprintf("page %d says that it is page %d", root, id))
	}
	bytes := (1 + int64(binary.LittleEndian.Uint32(header[12:]))) * p.size
	if bytes > maxPageBytes {
		return damaged(fmt.Sprintf("page %d says that it has %d bytes", root, bytes))
	}
	page := make([]byte, bytes)
	if err := p.read(root, page); err != nil {
		return err
	}
	return p.elements(root, page, f)
}

func (p *pages) read(id uint64, into []byte) error {
	if id > 1<<40 { // beyond every file; and id × size must fit
		return damaged(fmt.Sprintf("it points to page %d", id))
	}
	switch _, err := p.file.ReadAt(into, int64(id)*p.size); err {
	case nil:
		return nil
	case io.EOF:
		return damaged(fmt.Sprintf("page %d would be behind the end of the file", id))
	default:
		return err
	}
}

// elements calls f for each key of a leaf, or goes on with the pages of a branch.
// The bytes are those of the page, or of a bucket that stands inside another's.
func (p *pages) elements(id uint64, page []byte, f func(key, value []byte) error) error {
	flags, count := binary.LittleEndian.Uint16(page[8:]), int(binary.LittleEndian.Uint16(page[10:]))
	if flags != branchFlag && flags != leafFlag {
		return damaged(fmt.Sprintf("page %d has the type %#x", id, flags))
	}
	if pageHeader+count*element > len(page) {
		return damaged(fmt.Sprintf("page %d has %d bytes and would have %d elements", id, len(page), count))
	}
	for i := range count {
		at := page[pageHeader+i*element:]
		if flags == branchFlag {
			if err := p.bucket(binary.LittleEndian.Uint64(at[8:]), f); err != nil {
				return err
			}
			continue
		}
		pos, key := int64(binary.LittleEndian.Uint32(at[4:])), int64(binary.LittleEndian.Uint32(at[8:]))
		end := pos + key + int64(binary.LittleEndian.Uint32(at[12:]))
		if end > int64(len(at)) {
			return damaged(fmt.Sprintf("element %d of page %d would reach %d bytes beyond its page", i, id, end-int64(len(at))))
		}
		if err := f(at[pos:pos+key], at[pos+key:end]); err != nil {
			return err
		}
	}
	return nil
}

// inside calls f for each key of a bucket whose value this is. A small one
// stands inside the value, behind its header; of others the value names the
// root page.
func (p *pages) inside(value []byte, f func(key, value []byte) error) error {
	if len(value) < bucketHeader {
		return damaged(fmt.Sprintf("a bucket has %d bytes", len(value)))
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return p.bucket(root, f)
	}
	if len(value) < bucketHeader+pageHeader {
		return damaged(fmt.Sprintf("a bucket has %d bytes", len(value)))
	}
	return p.elements(0, value[bucketHeader:], f)
}
