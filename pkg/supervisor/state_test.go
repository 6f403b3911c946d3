package supervisor

import (
	"testing"

	"go.uber.org/zap"

	"github.com/etcd-node/etcd-node/pkg/status"
)

func TestIllegalTransitionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Stopped after nothing was accepted")
		}
	}()
	New(Options{Log: zap.NewNop()}).enter(status.Stopped, "")
}
