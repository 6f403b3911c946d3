package recorder

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
)

// The ring is an array of slots of one line each, and the line with number seq
// is in slot seq % slots. Fixed places need no pointers that a death could
// leave wrong, and no search for where the next line begins.
//
//	seq 8 bytes | length 4 | checksum 4 | text
const (
	slotSize = 1 << 10 // a line of etcd's has 100 to 300 bytes; longer ones are cut
	slots    = 256     // more than linesLimit
	ringSize = slotSize * slots
	headSize = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // in hardware on amd64 and arm64

// putSlot writes a line into a slot. It may be cut off anywhere: until the
// last byte is in place the checksum does not fit.
func putSlot(slot []byte, seq uint64, line []byte) {
	const mark = "…"
	if limit := slotSize - headSize; len(line) > limit {
		line = append(line[:limit-len(mark):limit-len(mark)], mark...)
	}
	binary.LittleEndian.PutUint64(slot, seq)
	binary.LittleEndian.PutUint32(slot[8:], uint32(len(line)))
	binary.LittleEndian.PutUint32(slot[12:], checksum(slot, line))
	copy(slot[headSize:], line)
}

// getSlot reads a slot; false for one that is empty or torn.
func getSlot(slot []byte) (seq uint64, line string, ok bool) {
	seq = binary.LittleEndian.Uint64(slot)
	length := binary.LittleEndian.Uint32(slot[8:])
	if seq == 0 || length > slotSize-headSize {
		return 0, "", false
	}
	text := slot[headSize : headSize+length]
	if binary.LittleEndian.Uint32(slot[12:]) != checksum(slot, text) {
		return 0, "", false
	}
	return seq, strings.ToValidUTF8(string(text), "?"), true
}

func checksum(head, text []byte) uint32 {
	return crc32.Update(crc32.Checksum(head[:12], castagnoli), castagnoli, text)
}

// numbered is a line with its place in the order.
type numbered struct {
	seq  uint64
	line string
}

// getSlots returns the lines in a ring, oldest first. read delivers slot i.
func getSlots(read func(i int, slot []byte) bool) []numbered {
	var found []numbered
	slot := make([]byte, slotSize)
	for i := range slots {
		if !read(i, slot) {
			continue
		}
		// In another slot than its own it is garbage that looks good.
		if seq, line, ok := getSlot(slot); ok && seq%slots == uint64(i) {
			found = append(found, numbered{seq, line})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return found
}
