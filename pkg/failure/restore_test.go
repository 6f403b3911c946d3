package failure

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A member without a quorum looks at itself and asks the others before it
// throws anything away; and it does not ask with --cluster, which needs what
// it lacks.
func TestNoQuorumRestoresLast(t *testing.T) {
	f := New(IDNoQuorum, "").Fill(map[string]string{"endpoints": "http://192.0.2.2:2379,http://192.0.2.3:2379"})
	if strings.Contains(strings.Join(f.Next, "\n"), "--cluster ") {
		t.Errorf("asks with --cluster: %q", f.Next)
	}
	at := func(what string) int {
		return slices.IndexFunc(f.Next, func(step string) bool { return strings.Contains(step, what) })
	}
	order := []int{at("etcd-node status"), at("endpoint status --endpoints=http://192.0.2.2:2379,http://192.0.2.3:2379"), at("more than half of the members"), at("snapshot restore")}
	if order[0] != 0 || !slices.IsSorted(order) {
		t.Errorf("%v: %q", order, f.Next)
	}
}

// etcdutl writes a cluster of one on localhost where it is not told more, and
// what it writes as root the service user cannot read.
func TestRestoreIsWhole(t *testing.T) {
	found := 0
	for _, e := range All() {
		all := strings.Join(New(e.ID, "").Fill(map[string]string{
			"name": "etcd-1", "data-dir": "/var/lib/etcd", "peer-urls": "http://192.0.2.1:2380",
			"initial-cluster": "etcd-1=http://192.0.2.1:2380,etcd-2=http://192.0.2.2:2380", "cluster-id": "cb84685a2cc9ed23",
		}).Next, "\n")
		if !strings.Contains(all, "snapshot restore ") {
			continue
		}
		found++
		for _, want := range []string{
			"--name=etcd-1 ", "--initial-cluster=etcd-1=http://192.0.2.1:2380,etcd-2=http://192.0.2.2:2380 ",
			"--initial-advertise-peer-urls=http://192.0.2.1:2380 ", "--initial-cluster-token=cb84685a2cc9ed23-restored; ",
			"systemctl stop etcd && mv -T /var/lib/etcd/restored/member /var/lib/etcd/member; ", "chown -R etcd:etcd /var/lib/etcd; ", "etcd-node forget",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%s lacks %q:\n%s", e.ID, want, all)
			}
		}
	}
	if found == 0 {
		t.Error("nowhere is a snapshot restored")
	}
}

// touchesData is a command that moves or removes something of the data.
var touchesData = regexp.MustCompile(`\b(mv|rm|rmdir|cp|umount)\b.*(\{data-dir\}|OLD-DIR)`)

// No files of a member are moved away while it may run: since the command was
// printed the node may have gone on by itself. So the same line stops the unit.
func TestDataIsTouchedOnlyWhenStopped(t *testing.T) {
	found := 0
	for _, e := range All() {
		for _, s := range slices.Concat(append(slices.Collect(maps.Values(e.Cases)), e.Next)...) {
			for _, c := range s.Run {
				switch {
				case !touchesData.MatchString(c),
					strings.HasSuffix(c, ".broken"),  // copies that nobody opens
					c == "rmdir {data-dir}/restored": // takes nothing that is full
				case strings.HasPrefix(c, "systemctl stop etcd && "):
					found++
				default:
					t.Errorf("%s: %q does not stop the unit first", e.ID, c)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d commands on data are seen", found)
	}
}

// A stop that fails leaves the data where it is.
func TestAsideNeedsTheStop(t *testing.T) {
	for _, tc := range []struct {
		stop  string
		there bool
	}{{"true", false}, {"false", true}} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "member"), 0o700); err != nil {
			t.Fatal(err)
		}
		command := replacer(map[string]string{"data-dir": dir}).Replace(aside("x").Run[0])
		for range 2 { // also where nothing is left to be moved
			_ = exec.Command("sh", "-c", "systemctl() { "+tc.stop+"; }; "+command).Run()
		}
		if _, err := os.Stat(filepath.Join(dir, "member")); (err == nil) != tc.there {
			t.Errorf("after a stop that is %s: %v", tc.stop, err)
		}
		if kept, _ := filepath.Glob(filepath.Join(dir, "member.*")); (len(kept) == 1) == tc.there {
			t.Errorf("after a stop that is %s: kept %v", tc.stop, kept)
		}
	}
}

// What a case has stands among all steps, too, which docs/failures.md shows.
func TestCasesAreOfNext(t *testing.T) {
	cases := 0
	for _, e := range All() {
		for name, steps := range e.Cases {
			cases++
			for _, s := range steps {
				if !slices.ContainsFunc(e.Next, func(n Step) bool { return n.String() == s.String() }) {
					t.Errorf("%s, %s: %q is none of Next", e.ID, name, s)
				}
			}
			text, _ := Explain(e.ID, map[string]string{"case": name})
			if all, _ := Explain(e.ID, nil); len(text) > len(all) {
				t.Errorf("%s, %s: explain prints more than without", e.ID, name)
			}
			if next := New(e.ID, "").Fill(map[string]string{"case": name}).Next; len(next) != len(steps) {
				t.Errorf("%s, %s: %d steps, want %d", e.ID, name, len(next), len(steps))
			}
		}
	}
	if cases == 0 {
		t.Error("no entry has cases")
	}
}

// Nothing takes a change back where it is known which one it is.
func TestOtherURLsByCase(t *testing.T) {
	for c, updates := range map[string]int{CaseToTLS: 1, CaseFromTLS: 0, CaseEarly: 1, CaseRestart: 0, CaseMoved: 2, CaseOther: 0} {
		text, _ := Explain(IDOtherURLs, map[string]string{"case": c})
		if n := strings.Count(text, "      etcd-node ctl member update "); n != updates {
			t.Errorf("%s: %d times member update, want %d:\n%s", c, n, updates, text)
		}
	}
}

// The common case is what STATUS= has room for.
func TestTrialComesFirst(t *testing.T) {
	if first := New(IDLoopbackData, "").Next[0]; !strings.Contains(first, "trial") || !strings.Contains(first, "etcd-node forget; systemctl start etcd") {
		t.Error(first)
	}
}

// Where this member is reached is printed, if it is known.
func TestMisplacedNamesTheURL(t *testing.T) {
	for own, want := range map[string]string{"": "--peer-urls=URL", "http://192.0.2.9:2380": "--peer-urls=http://192.0.2.9:2380"} {
		text, _ := Explain(IDMisplaced, map[string]string{"own-urls": own})
		if !strings.Contains(text, want) || strings.Contains(text, "\n  URL: ") != (own == "") {
			t.Errorf("%q:\n%s", own, text)
		}
	}
}

// A next step is shown by `systemctl status`, which is then none itself, but on
// another machine.
func TestNoStepPointsAtItself(t *testing.T) {
	for _, e := range All() {
		for _, s := range e.Next {
			if slices.Contains(s.Run, "systemctl status etcd") && s.Say != "on that machine" {
				t.Errorf("%s: %s", e.ID, s)
			}
		}
	}
}
