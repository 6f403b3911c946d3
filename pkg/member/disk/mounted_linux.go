package disk

import (
	"bufio"
	"os"
	"strings"
)

// device names what a file is on, "/dev/vdb, ext4", by the longest mount point
// that its path begins with. It asks the kernel's table of mounts and not the
// file system, which hangs.
func device(file string) (string, bool) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "", false
	}
	defer f.Close()
	var best, found string
	for s := bufio.NewScanner(f); s.Scan(); {
		// Spaces in a path are octal escapes there; such a mount is not found.
		field := strings.Fields(s.Text())
		if len(field) < 3 {
			continue
		}
		at := field[1]
		if (at == "/" || file == at || strings.HasPrefix(file, at+"/")) && len(at) >= len(best) { // the last one is on top
			best, found = at, field[0]+", "+field[2]
		}
	}
	return found, best != ""
}
