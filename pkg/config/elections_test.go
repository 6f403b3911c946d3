package config

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/member/silence"
)

// TestLeastSilence: the least that is noticed here is the least that counts there.
func TestLeastSilence(t *testing.T) {
	if leastSilence != silence.Least {
		t.Errorf("%s, and the member takes %s", leastSilence, silence.Least)
	}
}

// TestElectionNotices: a setting that does not do what it says gets one notice,
// with what counts instead, and one that does gets none.
func TestElectionNotices(t *testing.T) {
	const (
		silent   = "ETCD_NODE_HOST_SILENCE"
		file     = "ETCD_CONFIG_FILE=/etcd.yml"
		failover = silent + ": no effect, because ETCD_NODE_FAILOVER=off leaves every lost leader to the election timeout; remove it, or set ETCD_NODE_FAILOVER=on"
	)
	for _, tc := range []struct{ environ, want string }{
		{"", ""},
		{silent + "=0s", ""},
		{silent + "=400ms", ""},
		{silent + "=999ms", ""},
		{silent + "=1ms", silent + ": 1ms counts as 400ms, the least: TCP may need that long to send again and be answered; set 400ms or more, and less than the election timeout, 1s"},
		{silent + "=1s", silent + ": 1s is not below the election timeout, 1s: etcd's own timer is sooner, as with 0s; set less than 1s, the default is 400ms"},
		{silent + "=10h ETCD_ELECTION_TIMEOUT=5000", silent + ": 10h is not below the election timeout, 5s: etcd's own timer is sooner, as with 0s; set less than 5s, the default is 400ms"},
		{silent + "=4s ETCD_ELECTION_TIMEOUT=5000", ""},
		{silent + "=100ms ETCD_ELECTION_TIMEOUT=300 ETCD_HEARTBEAT_INTERVAL=30", silent + ": no effect, because it counts as 400ms at least and the election timeout is 300ms: etcd's own timer is sooner, as with 0s; remove it, or set a longer ETCD_ELECTION_TIMEOUT on all members"},
		{silent + "=600ms ETCD_NODE_FAILOVER=off", failover},
		{silent + "=600ms ETCD_NODE_FAILOVER=off ETCD_NODE_FAST_START=off ETCD_PRE_VOTE=false", failover},
		{silent + "=0s ETCD_NODE_FAILOVER=off", ""},
		{"ETCD_NODE_FAILOVER=off", ""},
		{silent + "=600ms ETCD_PRE_VOTE=false", "ETCD_PRE_VOTE: without pre-vote no election is asked for early: a lost leader costs one to two election timeouts (1s–2s), and ETCD_NODE_HOST_SILENCE and ETCD_NODE_FAST_START have no effect; remove ETCD_PRE_VOTE, whose default is true"},
		{"ETCD_PRE_VOTE=false ETCD_NODE_FAILOVER=off ETCD_NODE_FAST_START=off", ""},
		{file + " " + silent + "=4s", ""},
		{file + " " + silent + "=5s", silent + ": 5s is not below the election timeout, 5s: etcd's own timer is sooner, as with 0s; set less than 5s, the default is 400ms"},
	} {
		l, err := Load(Input{Host: goodHost(), Environ: strings.Fields(tc.environ), ReadFile: func(path string) ([]byte, error) {
			if path != "/etcd.yml" {
				return nil, fs.ErrNotExist
			}
			return []byte("election-timeout: 5000\n"), nil
		}})
		if err != nil {
			t.Errorf("%s: %v", tc.environ, err)
			continue
		}
		var got []string
		for _, n := range l.Notices {
			if n != loopbackNotice && !strings.HasPrefix(n, "the config file ") {
				got = append(got, n)
			}
		}
		if strings.Join(got, "\n") != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.environ, strings.Join(got, "\n"), tc.want)
		}
	}
}

// TestElectionValues: what is refused says what is taken, and no value that is
// refused is noticed, too.
func TestElectionValues(t *testing.T) {
	for environ, want := range map[string]string{
		"ETCD_NODE_HOST_SILENCE=-1s": `"-1s" must not be negative (give a duration, such as the default, 400ms; 0s switches it off)`,
		"ETCD_NODE_HOST_SILENCE=off": `"off" is not a length of time (give a duration, such as the default, 400ms; 0s switches it off)`,
		"ETCD_NODE_HOST_SILENCE=400": `"400" is not a length of time: it has no unit (give a duration, such as the default, 400ms; 0s switches it off)`,
		"ETCD_NODE_FAILOVER=true":    `"true" is neither on nor off (write on or off; the default is on)`,
		"ETCD_NODE_FAST_START=0":     `"0" is neither on nor off (write on or off; the default is on)`,
	} {
		name, _, _ := strings.Cut(environ, "=")
		if _, err := Load(Input{Host: goodHost(), Environ: []string{environ}}); err == nil || err.Error() != name+": "+want {
			t.Errorf("%s: %v", environ, err)
		}
	}
	for value, want := range map[string]bool{"OFF": false, "Off": false, "ON": true} {
		if l, err := Load(Input{Host: goodHost(), Environ: []string{"ETCD_NODE_FAILOVER=" + value}}); err != nil || l.Node().Failover != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}
