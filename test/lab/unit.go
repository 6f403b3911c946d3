package lab

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is what systemd on a host thinks of a unit.
type Unit struct {
	ActiveState string // "active", "activating", "deactivating", "inactive", "failed"
	SubState    string // "running", "start", "auto-restart", …
	Result      string // "success", "exit-code", "timeout", "watchdog", "signal", …
	StatusText  string // the daemon's STATUS=
	MainPID     int    // in the host's own numbering; 0: none
	ExitStatus  int    // of the last main process that ended (ExecMainStatus)
	NRestarts   int    // systemd's own restarts of the unit

	// Of the clock that all hosts and this machine share ([Now]). Zero: never.
	InactiveExit  time.Duration // the start began
	MainStart     time.Duration // the main process was begun
	ActiveEnter   time.Duration // READY=1 was taken in
	ActiveExit    time.Duration // the stop began
	InactiveEnter time.Duration // the stop was complete
}

// Unit asks systemd.
func (h *Host) Unit(ctx context.Context, name string) (Unit, error) {
	out, err := h.Run(ctx, "systemctl", "show", name)
	if err != nil {
		return Unit{}, err
	}
	return parseUnit(out)
}

// parseUnit reads the output of `systemctl show`.
func parseUnit(out string) (Unit, error) {
	p := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		p[key] = value
	}
	var bad []string
	number := func(key string) int {
		n, err := strconv.Atoi(p[key])
		if err != nil {
			bad = append(bad, key+"="+p[key])
		}
		return n
	}
	at := func(key string) time.Duration { return time.Duration(number(key)) * time.Microsecond }
	u := Unit{
		ActiveState: p["ActiveState"],
		SubState:    p["SubState"],
		Result:      p["Result"],
		StatusText:  p["StatusText"],
		MainPID:     number("MainPID"),
		ExitStatus:  number("ExecMainStatus"),
		NRestarts:   number("NRestarts"),

		InactiveExit:  at("InactiveExitTimestampMonotonic"),
		MainStart:     at("ExecMainStartTimestampMonotonic"),
		ActiveEnter:   at("ActiveEnterTimestampMonotonic"),
		ActiveExit:    at("ActiveExitTimestampMonotonic"),
		InactiveEnter: at("InactiveEnterTimestampMonotonic"),
	}
	if len(bad) > 0 {
		return u, fmt.Errorf("systemctl show: not a number: %s", strings.Join(bad, ", "))
	}
	return u, nil
}

func (u Unit) String() string {
	return fmt.Sprintf("%s (%s), result %s, main pid %d, last exit %d, restarts %d, status %q",
		u.ActiveState, u.SubState, u.Result, u.MainPID, u.ExitStatus, u.NRestarts, u.StatusText)
}
