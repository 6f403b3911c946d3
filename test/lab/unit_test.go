package lab

import (
	"testing"
	"time"
)

func TestParseUnit(t *testing.T) {
	const shown = `Type=notify
ExecStart={ path=/usr/local/bin/etcd-node ; argv[]=/usr/local/bin/etcd-node ; ignore_errors=no }
ActiveState=activating
SubState=start
Result=success
StatusText=joining: 1 of 3 members; waiting for etcd-2 (a=b)
MainPID=123
ExecMainStatus=0
NRestarts=2
InactiveExitTimestampMonotonic=1500000
ExecMainStartTimestampMonotonic=1500003
ActiveEnterTimestampMonotonic=0
ActiveExitTimestampMonotonic=0
InactiveEnterTimestampMonotonic=250
`
	want := Unit{
		ActiveState: "activating", SubState: "start", Result: "success",
		StatusText: "joining: 1 of 3 members; waiting for etcd-2 (a=b)",
		MainPID:    123, NRestarts: 2,
		InactiveExit: 1500 * time.Millisecond, MainStart: 1500003 * time.Microsecond, InactiveEnter: 250 * time.Microsecond,
	}
	if got, err := parseUnit(shown); err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := parseUnit("MainPID=\n"); err == nil {
		t.Error("no error though nothing is a number")
	}
}
