package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// answerLimit is more than any status: one of 100 members has 64 KiB.
const answerLimit = 4 << 20

// formerSocket is where daemons of before 2026-12 answer each connection with the
// status, whatever they are asked. One runs until it is restarted after an upgrade.
const formerSocket = "status.sock"

// Ask returns the status of the daemon with its socket in a directory, as it answers
// before ctx ends.
func Ask(ctx context.Context, dir string) ([]byte, error) {
	answer, err := Get(ctx, dir, "/status")
	if errors.Is(err, fs.ErrNotExist) {
		if raw, former := askFormer(ctx, dir); former == nil {
			return raw, nil
		}
	}
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return io.ReadAll(io.LimitReader(answer, answerLimit))
}

// Get opens what the daemon has at a path, such as /events. It lasts until ctx ends.
func Get(ctx context.Context, dir, path string) (io.ReadCloser, error) {
	return open(ctx, dir, http.MethodGet, path, nil)
}

func open(ctx context.Context, dir, method, path string, body io.Reader) (io.ReadCloser, error) {
	at, err := reach(dir, Socket)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	r, err := http.NewRequestWithContext(ctx, method, "http://etcd-node"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, at) },
	}).RoundTrip(r)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, Socket), err)
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(resp.Body, headerLimit))
		switch resp.StatusCode {
		case http.StatusForbidden:
			return nil, fmt.Errorf("%s: %w", strings.TrimSpace(string(why)), fs.ErrPermission)
		case http.StatusNotFound, http.StatusMethodNotAllowed: // as of a daemon that is older
			return nil, fmt.Errorf("%s: %w", path, errors.ErrUnsupported)
		}
		return nil, fmt.Errorf("%s: %s: %s", filepath.Join(dir, Socket), path, strings.TrimSpace(string(why)))
	}
	return resp.Body, nil
}

func askFormer(ctx context.Context, dir string) ([]byte, error) {
	at, err := reach(dir, formerSocket)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	c, err := dial(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })()
	return io.ReadAll(io.LimitReader(c, answerLimit))
}

// SilenceLimit is how long a daemon sends nothing that has no event to send, at most;
// one that is silent for longer hangs.
const SilenceLimit = 15 * time.Second

// Events calls see with the data of each event that the daemon sends, until ctx
// ends, the daemon does or hangs, or see returns an error.
func Events(ctx context.Context, dir string, see func([]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hangs := time.AfterFunc(SilenceLimit, cancel)
	defer hangs.Stop()
	stream, err := Get(ctx, dir, "/events")
	if err != nil {
		return err
	}
	defer stream.Close()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, answerLimit)
	for lines.Scan() {
		hangs.Reset(SilenceLimit)
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			if err := see(data); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
