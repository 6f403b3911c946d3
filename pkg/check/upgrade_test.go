package check

import (
	"strings"
	"testing"
)

func TestUpgrade(t *testing.T) {
	for _, tc := range []struct {
		peers map[string]string
		want  string // the level and a part of the text of each result
	}{
		{nil, ""},
		{map[string]string{"b": "3.7.1", "c": "3.7.9"}, ""},
		{map[string]string{"b": "3.6.5", "c": "3.7.9"}, "warning an upgrade is under way: b 3.6.5;"},
		{map[string]string{"b": "3.5.5", "c": "3.6.9"}, "problem b runs etcd 3.5.5, which does not work together with 3.7.3\nwarning an upgrade is under way: c 3.6.9;"},
		{map[string]string{"b": "3.8.0"}, "warning members have a later version than this one: b 3.8.0"},
		{map[string]string{"b": "3.9.0"}, "problem b runs etcd 3.9.0"},
		{map[string]string{"b": "2.3.0"}, "problem b runs etcd 2.3.0"},
		{map[string]string{"b": "what?"}, ""},
	} {
		all := upgrade("3.7.3", tc.peers)
		wants := strings.Split(tc.want, "\n")
		if tc.want == "" {
			wants = nil
		}
		if len(all) != len(wants) {
			t.Errorf("%v: %+v", tc.peers, all)
			continue
		}
		for i, r := range all {
			if !strings.HasPrefix(string(r.Level)+" "+r.Text, wants[i]) || r.Next == "" {
				t.Errorf("%v: %+v, want %s", tc.peers, r, wants[i])
			}
		}
	}
}
