// Package monitoring has no code: its tests hold the files beside it to what they are for.
package monitoring

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// promtool is Prometheus's own; Debian's package prometheus has it.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("needs promtool (apt install prometheus)")
	} else if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestRules(t *testing.T) {
	promtool(t, "check", "rules", "etcd-node.rules.yml")
	promtool(t, "test", "rules", "etcd-node.test.yml")
}

// Each alert is played.
func TestAlertsArePlayed(t *testing.T) {
	rules, err := os.ReadFile("etcd-node.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	played, err := os.ReadFile("etcd-node.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) < 20 {
		t.Errorf("%d alerts", len(alerts))
	}
	for _, a := range alerts {
		if !strings.Contains(string(played), "- name: "+a[1]+"\n") {
			t.Errorf("%s is not played", a[1])
		}
	}
}

// The dashboard is one that Grafana takes: panels with titles and places of their own,
// variables that exist.
func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title, UID string
		Templating struct{ List []struct{ Name string } }
		Panels     []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"__all": true}
	for _, v := range d.Templating.List {
		known[v.Name] = true
	}
	ids, places := map[int]bool{}, map[[2]int]bool{}
	for _, p := range d.Panels {
		at := [2]int{p.GridPos.X, p.GridPos.Y}
		if p.Title == "" || len(p.Targets) == 0 || ids[p.ID] || places[at] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d, %q, at %v", p.ID, p.Title, at)
		}
		ids[p.ID], places[at] = true, true
		for _, x := range p.Targets {
			for _, v := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(x.Expr, -1) {
				if !known[v[1]] {
					t.Errorf("%s: no variable %s", p.Title, v[1])
				}
			}
		}
	}
	if d.UID != "etcd-node" || len(d.Panels) < 15 {
		t.Errorf("%q with %d panels", d.UID, len(d.Panels))
	}
}
