// Package machine says on what something was measured.
package machine

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Describe is this machine in a line.
func Describe() string {
	of := func(path, key string) string {
		raw, _ := os.ReadFile(path) // says nothing, then
		for line := range strings.Lines(string(raw)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
				return strings.TrimSpace(v)
			}
		}
		return "?"
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	cores, _ := exec.Command("nproc").Output()
	return fmt.Sprintf("Linux %s, %s, %s cores, %s", strings.TrimSpace(string(kernel)),
		of("/proc/cpuinfo", "model name"), strings.TrimSpace(string(cores)), of("/proc/meminfo", "MemTotal"))
}
