package disk

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

// device names what a file is on, "/dev/vdb, ext4". It asks the kernel's table
// of mounts and not the file system, which hangs.
func device(file string) (string, bool) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "", false
	}
	defer f.Close()
	return mountedAt(f, file)
}

// mountedAt finds in a table of mounts what a file is on: the entry with the
// longest mount point that its path begins with.
func mountedAt(mounts io.Reader, file string) (string, bool) {
	var longest, found string
	for s := bufio.NewScanner(mounts); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 3 {
			continue
		}
		point := unescaped(fields[1])
		below := point == "/" || file == point || strings.HasPrefix(file, point+"/")
		if below && len(point) >= len(longest) { // the last one is on top
			longest, found = point, unescaped(fields[0])+", "+fields[2]
		}
	}
	return found, longest != ""
}

// unescaped is a field of the table as it was before the kernel wrote blanks,
// tabs, newlines and backslashes as a backslash and three octal digits.
func unescaped(field string) string {
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if c, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}
