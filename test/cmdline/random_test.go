package cmdline

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestHelp(t *testing.T) {
	help := Help()
	for _, name := range []string{"name", "memory-mlock", "bcrypt-cost", "unsafe-no-fsync", "discovery"} { // with a default of each kind
		if !slices.Contains(help, name) {
			t.Errorf("--%s is not found in etcd's help: %q", name, help)
		}
	}
}

// A seed that failed once fails again.
func TestRandom(t *testing.T) {
	roll := func(seed uint64) Line { return Random(rand.New(rand.NewPCG(seed, 0)), true) }
	if !reflect.DeepEqual(roll(1), roll(1)) || reflect.DeepEqual(roll(1), roll(2)) {
		t.Errorf("seed 1: %q, %q; seed 2: %q", roll(1), roll(1), roll(2))
	}
}
