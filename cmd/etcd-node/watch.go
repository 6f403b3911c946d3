package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/terminal"
	"github.com/etcd-node/etcd-node/pkg/thisnode"
)

// redrawPause is how old the ages in a status grow at a terminal.
const redrawPause = time.Second

// watchStatus shows the status until ctx ends, which is no failure. It ends before
// where this user may not ask: that does not change by itself.
func watchStatus(ctx context.Context, d *thisnode.Daemon, out, complaints io.Writer, asJSON bool) (refused error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	view := &view{out: out}
	if f, ok := out.(*os.File); ok && !asJSON && terminal.Is(f) {
		view.terminal = true
		running.Go(func() { view.age(ctx) })
	}
	complained := ""
	d.Follow(ctx, func(st status.Status, raw []byte, err error) {
		var no *thisnode.NoAnswer
		switch {
		case errors.As(err, &no) && (no.Forbidden || no.Other):
			refused = err
			cancel()
		case err != nil && !view.terminal:
			if complained != err.Error() {
				complained = err.Error()
				fmt.Fprintln(complaints, "etcd-node:", complained)
			}
		case err != nil:
			view.show(func(time.Time) string { return "etcd-node: " + shown.Text(err.Error()) + "\n" })
		case asJSON:
			complained = ""
			view.show(func(time.Time) string { return strings.TrimSpace(string(raw)) + "\n" })
		default:
			complained = ""
			view.show(st.Text)
		}
	})
	return refused
}

// view shows a text in the place of the one before, or after it where it is not at a
// terminal.
type view struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex
	text func(now time.Time) string
}

func (v *view) show(text func(now time.Time) string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.text = text
	v.draw()
}

// age draws what is shown again and again until ctx ends, for it says how long ago
// something was.
func (v *view) age(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(redrawPause):
		}
		v.mu.Lock()
		v.draw()
		v.mu.Unlock()
	}
}

// What a terminal is told, as all of them have understood since the VT100.
const (
	toTop     = "\x1b[H"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
)

func (v *view) draw() {
	if v.text == nil {
		return
	}
	text := painted(v.out)(v.text(time.Now()))
	if v.terminal { // not cleared before it is written: it would flicker
		text = toTop + strings.ReplaceAll(text, "\n", clearLine+"\n") + clearRest
	}
	_, _ = io.WriteString(v.out, text)
}
