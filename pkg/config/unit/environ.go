package unit

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Variable names the unit that commands are about, where it is another than
// etcd.service: an instance of the template, or an operator's own.
const Variable = "ETCD_NODE_UNIT"

// Environ is a process's environment, as of os.Environ: there systemd tells a
// service what it has given it.
type Environ []string

// Get looks a variable up.
func (e Environ) Get(key string) string {
	for _, kv := range slices.Backward(e) {
		if value, ok := strings.CutPrefix(kv, key+"="); ok {
			return value
		}
	}
	return ""
}

// Unit is the name of the unit that a command with this environment is about.
func (e Environ) Unit() string {
	name := cmp.Or(e.Get(Variable), Name)
	if !strings.HasSuffix(name, ".service") {
		name += ".service"
	}
	return name
}

// OfSystemd reports whether this is a process that systemd has started itself.
// Both variables are handed down to children, and the first one to those of a
// user's own systemd; the second has the PID.
func (e Environ) OfSystemd() bool {
	return slices.ContainsFunc(e, func(kv string) bool { return strings.HasPrefix(kv, "INVOCATION_ID=") }) &&
		slices.Contains(e, "SYSTEMD_EXEC_PID="+strconv.Itoa(os.Getpid()))
}
