package main

import (
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/config"
)

// TestHelpNamesVariables: --help has each of etcd-node's own variables.
func TestHelpNamesVariables(t *testing.T) {
	for _, v := range config.Variables {
		if !strings.Contains(usage, "  "+v.Name) || !strings.Contains(usage, strings.Fields(v.Help)[0]) {
			t.Errorf("%s is missing", v.Name)
		}
	}
}
