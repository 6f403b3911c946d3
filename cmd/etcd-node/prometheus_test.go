package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/etcd-node/etcd-node/pkg/metrics"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/test/loopback"
	"github.com/etcd-node/etcd-node/test/poll"
)

const monitoring = "../../deploy/monitoring/"

// prom is a real Prometheus that scrapes these nodes.
type prom struct {
	t   *testing.T
	api string
}

// newProm starts one with our rules, of which none waits before it fires.
func newProm(t *testing.T, nodes ...*node) *prom {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("needs prometheus (apt install prometheus)")
	} else if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), loopback.Address()
	rules, err := os.ReadFile(monitoring + "etcd-node.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, n := range nodes {
		targets = append(targets, strings.TrimPrefix(n.Client, "http://"))
	}
	for name, text := range map[string]string{
		"rules.yml": regexp.MustCompile(`(?m)^    for: .*\n`).ReplaceAllString(string(rules), ""),
		"prometheus.yml": fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\nrule_files: [rules.yml]\n"+
			"scrape_configs:\n- job_name: etcd\n  static_configs:\n  - targets: [%s]\n", strings.Join(targets, ", ")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("prometheus:\n%s", text)
		}
	})
	return &prom{t, "http://" + address + "/api/v1/"}
}

// get asks its API, and returns the data of the answer.
func (p *prom) get(what string, into any) error {
	resp, err := http.Get(p.api + what)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Status != "success" {
		return fmt.Errorf("%s: %v %s", what, err, answer.Error)
	}
	return nil
}

// query returns how many series an expression has.
func (p *prom) query(expr string) (int, error) {
	var data struct{ Result []any }
	err := p.get("query?query="+url.QueryEscape(expr), &data)
	return len(data.Result), err
}

// fires waits until all of these alerts do.
func (p *prom) fires(alerts ...string) {
	p.t.Helper()
	poll.Eventually(p.t, func() error {
		var data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
		if err := p.get("alerts", &data); err != nil {
			return err
		}
		var firing []string
		for _, a := range data.Alerts {
			if a.State == "firing" {
				firing = append(firing, a.Labels["alertname"])
			}
		}
		for _, a := range alerts {
			if !slices.Contains(firing, a) {
				return fmt.Errorf("%s does not fire, but %v do", a, firing)
			}
		}
		return nil
	})
}

// expressions are those of the dashboard and of the alerts.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	raw, err := os.ReadFile(monitoring + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		for _, x := range p.Targets {
			all = append(all, strings.NewReplacer("$job", "etcd", "$instance", ".*").Replace(x.Expr))
		}
	}
	rules, err := os.ReadFile(monitoring + "etcd-node.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    expr: (.*)$`).FindAllStringSubmatch(string(rules), -1) {
		all = append(all, m[1])
	}
	return all
}

// Prometheus takes all expressions, of metrics that a member really has; nothing fires
// while all is well, and what can be caused in seconds does when it is caused.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	a, b, c := abc(t)
	for _, n := range []*node{a, b, c} {
		n.start(true)
	}
	for _, n := range []*node{a, b, c} {
		n.await("READY=1")
	}
	p := newProm(t, a, b, c)
	poll.Eventually(t, func() error {
		if n, err := p.query(`up{job="etcd"} == 1`); err != nil || n != 3 {
			return fmt.Errorf("%d are up, %v", n, err)
		}
		return nil
	})
	a.put("k", "v")
	live, err := a.metrics()
	if err != nil {
		t.Fatal(err)
	}
	described := make(chan *prometheus.Desc, 100)
	metrics.Collector(nil).Describe(described)
	close(described)
	var ours strings.Builder
	for d := range described {
		ours.WriteString(d.String())
	}
	names := regexp.MustCompile(`\b((?:etcd|grpc|process)_[a-z_]+)\{`) // what has no brace is a label
	for _, x := range expressions(t) {
		if _, err := p.query(x); err != nil {
			t.Errorf("%s: %v", x, err)
		}
		for _, m := range names.FindAllStringSubmatch(x, -1) {
			name := m[1]
			if !strings.Contains(live, "\n"+name+"{") && !strings.Contains(live, "\n"+name+" ") && !strings.Contains(ours.String(), `"`+name+`"`) {
				t.Errorf("%s: a member has no %s", x, name)
			}
		}
	}
	c.stop()
	for range 4 {
		before := a.status().MemberPID
		syscall.Kill(before, syscall.SIGKILL)
		a.until("restarted", func(s status.Status) bool { return serving(s) && s.MemberPID != before })
	}
	p.fires("EtcdMemberDown", "EtcdQuorumAtRisk", "EtcdNodeMembersMissing", "EtcdNodeMemberEnds")
	b.stop()
	p.fires("EtcdNoLeader")
}
