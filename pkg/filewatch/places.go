package filewatch

import (
	"os"
	"path/filepath"
	"strings"
)

// place is a name in a directory. What becomes of it decides what a path leads
// to.
type place struct{ dir, name string }

// linksLimit is the kernel's own on the symlinks of one path.
const linksLimit = 40

// places are all that lie on the way to path, symlinks followed; behind the
// first one that is not there those that would come if it were a directory.
func places(path string) (all []place) {
	if !filepath.IsAbs(path) { // not filepath.Abs, which takes ".." before symlinks
		wd, err := os.Getwd()
		if err != nil {
			return nil
		}
		path = wd + "/" + path
	}
	dir, rest := "/", parts(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			dir = filepath.Dir(dir)
			continue
		}
		all = append(all, place{dir, name})
		full := filepath.Join(dir, name)
		target, err := os.Readlink(full)
		if err != nil { // no symlink
			dir = full
			continue
		}
		if links++; links > linksLimit {
			return all
		}
		if filepath.IsAbs(target) {
			dir = "/"
		}
		rest = append(parts(target), rest...)
	}
	return all
}

// parts are the names in a path.
func parts(path string) (names []string) {
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}
