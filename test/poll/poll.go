// Package poll waits for what must happen by asking again and again.
package poll

import (
	"context"
	"testing"
	"time"
)

// Patience bounds every wait of a test for something that must happen. It is
// this long because the machine may be busy, and because an operator's repair
// is noticed within 36 s.
const Patience = time.Minute

// Until asks until there is no error, with pauses of the length every. When ctx
// ends it returns the last error.
func Until(ctx context.Context, every time.Duration, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(every):
		}
	}
}

// Eventually asks until there is no error. If there still is one after
// [Patience] the test ends with it.
func Eventually(t testing.TB, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := Until(ctx, 10*time.Millisecond, ask); err != nil {
		t.Fatalf("after %v still: %v", Patience, err)
	}
}
