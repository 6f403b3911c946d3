package identity

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// A directory that is not there is said once; the latest pin is saved as soon
// as it is.
func TestKeeperTriesAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pin")
	synctest.Test(t, func(t *testing.T) {
		failures := 0
		k := NewKeeper(Store{dir}, func(error) { failures++ })
		for _, id := range []string{"1", "2", "3"} {
			k.Keep(Pin{ClusterID: "c", MemberID: id})
		}
		time.Sleep(saveAgain * 3)
		synctest.Wait()
		if failures != 1 || k.Err() == nil {
			t.Errorf("said %d times: %v", failures, k.Err())
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(saveAgain)
		synctest.Wait()
		if p, ok, err := k.Store().Load(); k.Err() != nil || !ok || err != nil || p.MemberID != "3" {
			t.Errorf("%v: %v, %v, %v", k.Err(), p, ok, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		k.Keep(Pin{ClusterID: "c", MemberID: "4"})
		if err := k.Close(time.Second); err == nil || failures != 2 {
			t.Errorf("%v, said %d times", err, failures)
		}
	})
}

// The end waits for the pin, and not for a disk that hangs.
func TestKeeperClose(t *testing.T) {
	k := NewKeeper(Store{t.TempDir()}, func(err error) { t.Error(err) })
	k.Keep(pin)
	if err := k.Close(time.Minute); err != nil {
		t.Error(err)
	}
	if p, ok, err := k.Store().Load(); !ok || err != nil || p != pin {
		t.Errorf("%v, %v, %v", p, ok, err)
	}
	hanging := &Keeper{store: k.store, pins: make(chan Pin), ended: make(chan struct{})} // nobody writes
	if err := hanging.Close(time.Millisecond); err == nil {
		t.Error("waits for ever, or says nothing")
	}
}
