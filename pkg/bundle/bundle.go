// Package bundle makes one file for a bug report: a tarball of what somebody who cannot
// log in here would ask for. Nothing secret is in it, and nothing that clients store:
// every part goes through [Scrub], and the log through [Log].
//
// It is bounded in time and size, and never fails for a part that cannot be had:
// MANIFEST.txt says of each part how large it is, or why it is missing.
package bundle

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// partLimit is how large a part may be, in bytes: the end counts, as of a log. A
	// recorder's file has 1 MiB.
	partLimit = 4 << 20
	// patience is how long a part may take: a command that asks a daemon or systemd.
	patience = 10 * time.Second
)

// limit is how large all parts may be, in bytes: a mail takes that when it is compressed.
var limit = 64 << 20

// Part is one file of a bundle.
type Part struct {
	Name string
	// Get returns the text; one with an error is part of the bundle all the same. Its
	// context ends after 10 s.
	Get func(ctx context.Context) (string, error)
}

// Write gathers the parts and writes them as a gzipped tarball, in a directory of that
// name, all of the time now.
//
// It returns the parts that are missing.
func Write(ctx context.Context, out io.Writer, dir string, now time.Time, parts []Part) (missing []string, err error) {
	texts := gather(ctx, parts)
	var manifest strings.Builder
	size := 0
	for i, p := range parts {
		if size += len(texts[i].text); size > limit {
			size -= len(texts[i].text)
			texts[i] = text{err: fmt.Errorf("the bundle would be larger than %d bytes", limit)}
		}
		switch t := texts[i]; {
		case t.err != nil && t.text != "":
			fmt.Fprintf(&manifest, "%-28s %d bytes, and it failed: %s\n", p.Name, len(t.text), Scrub(strings.ReplaceAll(t.err.Error(), "\n", "; ")))
		case t.err != nil:
			missing = append(missing, p.Name)
			fmt.Fprintf(&manifest, "%-28s missing: %s\n", p.Name, Scrub(strings.ReplaceAll(t.err.Error(), "\n", "; ")))
		case t.cut:
			fmt.Fprintf(&manifest, "%-28s the last %d bytes\n", p.Name, len(t.text))
		default:
			fmt.Fprintf(&manifest, "%-28s %d bytes\n", p.Name, len(t.text))
		}
	}
	zip := gzip.NewWriter(out)
	archive := tar.NewWriter(zip)
	write := func(name, text string) error {
		header := tar.Header{Name: dir + "/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: now, Format: tar.FormatPAX}
		if err := archive.WriteHeader(&header); err != nil {
			return err
		}
		_, err := io.WriteString(archive, text)
		return err
	}
	err = write("MANIFEST.txt", manifest.String())
	for i, p := range parts {
		if err == nil && (texts[i].err == nil || texts[i].text != "") {
			err = write(p.Name, texts[i].text)
		}
	}
	return missing, errors.Join(err, archive.Close(), zip.Close())
}

// text is what became of a part.
type text struct {
	text string
	cut  bool // at its beginning
	err  error
}

func gather(ctx context.Context, parts []Part) []text {
	texts := make([]text, len(parts))
	var running sync.WaitGroup
	for i, p := range parts {
		running.Go(func() { texts[i] = get(ctx, p) })
	}
	running.Wait()
	return texts
}

// get has a part that may hang in a file system: then it is left to itself.
func get(ctx context.Context, p Part) text {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan text, 1)
	go func() {
		s, err := p.Get(ctx)
		t := text{text: s, err: err}
		if len(s) > partLimit {
			s = s[len(s)-partLimit:]
			_, s, _ = strings.Cut(s, "\n")
			t.text, t.cut = s, true
		}
		t.text = Scrub(t.text)
		done <- t
	}()
	select {
	case t := <-done:
		return t
	case <-time.After(patience + time.Second):
		return text{err: fmt.Errorf("no answer within %s", patience)}
	}
}
