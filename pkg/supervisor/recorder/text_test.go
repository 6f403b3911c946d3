package recorder

import (
	"strings"
	"testing"
	"time"
)

func TestRecordText(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	const stamp = "2026-01-02 03:04:05  "
	for want, r := range map[string]Record{
		"etcd-node 1.0 started, boot 12345678\n":                                      {Kind: Start, Version: "1.0", Boot: "123456789", Format: Format},
		"etcd-node ended\n":                                                           {Kind: Stop},
		"serving\n":                                                                   {Kind: State, State: "serving"},
		"backoff: two\n    lines\n":                                                   {Kind: State, State: "backoff", Reason: "two\nlines"},
		"why\n    goroutine 1\n    goroutine 2\n":                                     {Kind: Dump, Reason: "why", Dump: "goroutine 1\ngoroutine 2\n"},
		"the member ended (signal 9): killed: why\n":                                  {Kind: Ended, End: &End{ID: "killed", Cause: "why", Status: -1, Signal: 9}},
		"the member ended (exit status 1): x: y\n    a\n    b\n    panic\n":           {Kind: Ended, End: &End{ID: "x", Cause: "y", Status: 1, Lines: []string{"a", "b"}, Crash: "panic"}},
		"the member ended (before its process began): x: y\n":                         {Kind: Ended, End: &End{ID: "x", Cause: "y", Status: -1}},
		"the member ended (signal 9, and the kernel's OOM killer had struck): x: y\n": {Kind: Ended, End: &End{ID: "x", Cause: "y", Status: -1, Signal: 9, OOM: true}},
		"daemon-killed: y\n":                                                          {Kind: Ended, End: &End{ID: "daemon-killed", Cause: "y", Status: -1}},
		"lost before this one: 3 records\n" + stamp + "the clock was set back\n" + stamp + "etcd-node ended\n": {Kind: Stop, Lost: 3, Back: true},
	} {
		r.Time = at
		if got := r.Text(); got != stamp+want {
			t.Errorf("got  %q\nwant %q", got, stamp+want)
		}
	}
	forged := Record{Time: at, Kind: State, State: "x", Reason: "y\n" + stamp + "etcd-node ended"}
	if got := forged.Text(); strings.Contains(got, "\n"+stamp) {
		t.Errorf("a reason looks like a record: %q", got)
	}
}
