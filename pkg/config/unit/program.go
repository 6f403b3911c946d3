package unit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// OtherProgram says so where the unit starts another program than this one, at
// self: an older unit in /etc outranks the one that was installed with it.
func (u File) OtherProgram(self string) (notices []string) {
	for _, line := range u.ExecStart {
		program := programOf(line.Text)
		if program == "" || sameFile(program, self) || isScript(program) {
			continue
		}
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		text := fmt.Sprintf("%s runs %s, and not this program, %s: %s says so", u.Name, program, self, line.Source)
		service := shown.Quoted(strings.TrimSuffix(u.Name, ".service"))
		hides := line.Source == u.Path && len(u.Hidden) > 0
		if hides {
			text += ", which hides " + strings.Join(u.Hidden, ", ")
		}
		// Another program than stock etcd may be what starts this one: a wrapper.
		if hides && filepath.Base(program) == "etcd" {
			text += fmt.Sprintf(" (mv %s %s, systemctl daemon-reload, systemctl restart %s)", shown.Quoted(u.Path), shown.Quoted(u.Path+".old"), service)
		} else {
			text += fmt.Sprintf(" (systemctl cat %s)", service)
		}
		notices = append(notices, text)
	}
	return notices
}

// isScript reports whether a program is one: what it ends up as cannot be told.
func isScript(program string) bool {
	f, err := os.Open(program)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 2)
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == "#!"
}

// Flags says so where the unit's command line gives flags: a command that is run
// by hand does not have them.
func (u File) Flags() (notices []string) {
	for _, line := range u.ExecStart {
		if list := words(line.Text); len(list) > 1 && strings.Contains(line.Text, " -") {
			notices = append(notices, fmt.Sprintf("%s gives flags on its command line, and they are not in this: write them behind `etcd-node config` (systemctl cat %s)",
				u.Name, shown.Quoted(strings.TrimSuffix(u.Name, ".service"))))
		}
	}
	return notices
}

// programOf is the program that a line of ExecStart= starts; behind a shell, the
// etcd or etcd-node that it names, if it does.
func programOf(line string) string {
	list := words(line)
	if len(list) == 0 {
		return ""
	}
	first := strings.TrimLeft(list[0], "-@:+!|")
	switch filepath.Base(first) {
	case "sh", "bash", "dash", "env", "nice", "ionice", "chrt", "numactl", "taskset":
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\"';&|()", r) }) {
			if base := filepath.Base(word); filepath.IsAbs(word) && (base == "etcd" || base == "etcd-node") {
				return word
			}
		}
		return ""
	}
	if !filepath.IsAbs(first) { // systemd looks in its own path
		return ""
	}
	return first
}
