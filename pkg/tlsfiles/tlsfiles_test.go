package tlsfiles

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/test/pki"
	"github.com/etcd-node/etcd-node/test/poll"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files of a member whose certificate and key, if any, are in dir. etcd's flags
// are variables of the process, so no two tests may make one at once.
func files(t *testing.T, dir string, patient bool) (*Files, *observer.ObservedLogs) {
	t.Helper()
	crt, key := filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	loaded, err := config.Load(config.Input{Patient: true, Watching: true, Environ: []string{
		"ETCD_NAME=a", "ETCD_DATA_DIR=" + filepath.Join(dir, "data"), "ETCD_PEER_CERT_FILE=" + crt, "ETCD_PEER_KEY_FILE=" + key,
		"ETCD_LISTEN_PEER_URLS=https://127.0.0.1:2380", "ETCD_INITIAL_ADVERTISE_PEER_URLS=https://127.0.0.1:2380",
		"ETCD_INITIAL_CLUSTER=a=https://127.0.0.1:2380",
	}})
	must(t, err)
	core, logs := observer.New(zapcore.InfoLevel)
	f := New(loaded, zap.New(core), patient)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Watch(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return f, logs
}

// It waits with its reason said once, and goes on when the files are there.
func TestWait(t *testing.T) {
	dir := t.TempDir()
	f, logs := files(t, dir, true)
	said := make(chan string, 100)
	done := make(chan error)
	go func() { done <- f.Wait(t.Context(), func(text string) { said <- text }) }()
	if text := <-said; !strings.Contains(text, "crt does not exist") || !strings.Contains(text, "key does not exist") {
		t.Error(text)
	}
	if c := f.Conditions(); len(c) != 1 || c[0].ID != failure.IDTLSFile || c[0].Text != "" {
		t.Errorf("%+v", c)
	}
	c := pki.Issue(nil, nil)
	must(t, os.WriteFile(filepath.Join(dir, "key"), c.Key, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "crt"), c.Cert, 0o600))
	must(t, <-done)
	if c := f.Conditions(); len(c) != 0 {
		t.Errorf("after the wait: %+v", c)
	}
	if n := len(said) + 1; logs.Len() != n {
		t.Errorf("%d lines in the log for %d reasons", logs.Len(), n)
	}
}

// A stop ends the wait; and where nobody sees what it waits for it does not.
func TestNoWait(t *testing.T) {
	f, _ := files(t, t.TempDir(), true)
	ctx, cancel := context.WithCancel(t.Context())
	if err := f.Wait(ctx, func(string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	f, _ = files(t, t.TempDir(), false)
	must(t, f.Wait(t.Context(), func(text string) { t.Error(text) }))
}

// What is wrong while the member runs is a condition, and in the log once.
func TestConditions(t *testing.T) {
	f, logs := files(t, t.TempDir(), false)
	if c := f.Conditions(); len(c) != 0 {
		t.Errorf("before the member: %+v", c)
	}
	r, err := f.loaded.Resolve(t.Context(), nil)
	must(t, err)
	looks := func() {
		t.Helper()
		f.mu.Lock()
		next := f.next
		f.mu.Unlock()
		f.ResolvedAs(r)
		select {
		case <-next:
		case <-time.After(poll.Patience):
			t.Fatal("no look")
		}
	}
	looks()
	poll.Eventually(t, func() error {
		if c := f.Conditions(); len(c) != 2 || logs.Len() != 2 { // the first look may have come before the configuration
			return errors.New("not both files")
		}
		return nil
	})
	looks()
	looks()
	if logs.Len() != 2 {
		t.Errorf("%d lines for two files", logs.Len())
	}
}
