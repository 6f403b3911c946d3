package config

import (
	"flag"
	"fmt"
	"slices"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// loadConfigFile reads etcd's own config file. Where one is used it alone
// counts, and nothing is detected or derived.
func (l *Loaded) loadConfigFile(variables map[string]settings.Setting) {
	path := l.set["config-file"][0]
	l.noticeHidden(path, variables)
	data, err := l.in.ReadFile(path.Value)
	if err == nil && isEnvFile(data) {
		l.problems = append(l.problems, envFileProblem(path.Source, path.Value, l.service()))
		return
	}
	if err == nil {
		l.file, err = etcdflags.ReadFile(data)
	}
	if err != nil {
		l.problem(path.Source, fmt.Sprintf("%s: %v", path.Value, err), "")
		return
	}
	if l.file.Log.Rotate {
		l.notice(rotationNotice)
	}
	for _, n := range l.file.Ignored(path.Value) {
		l.notice("%s", n)
	}
	l.checkInFile(path.Value)
}

// checkInFile looks at the settings in the config file as at those that are
// given as flags.
func (l *Loaded) checkInFile(path string) {
	set := l.file.Settings(path)
	for _, name := range sorted(settings.Deprecated) {
		if set[name] != nil {
			l.deprecated(name)
		}
	}
	set["data-dir"] = []settings.Setting{{Name: "data-dir", Value: l.file.Member.DataDir, Source: path}} // which may be a default
	d := &derivation{Loaded: &Loaded{in: l.in, set: set}, inFile: true}
	cluster, wrong := parseCluster(d.get("initial-cluster"))
	for _, p := range wrong { // etcd can read what we do not take
		l.notice("%s: %v", d.at("initial-cluster"), p.Error())
	}
	d.cluster = cluster
	if !l.in.readOnly {
		d.check()
		d.checkElections(l.node, l.own)
		for _, s := range d.settings() {
			if p := d.pathProblem(s); p != nil {
				d.problems = append(d.problems, *p)
			}
		}
	}
	d.checkFiles()
	for _, n := range d.Notices {
		l.Notices = append(l.Notices, etcdflags.AsKeys(n))
	}
	for _, p := range d.problems {
		p.Hint = etcdflags.AsKeys(p.Hint)
		l.problems = append(l.problems, p)
	}
	for _, p := range d.late {
		p.Hint = etcdflags.AsKeys(p.Hint)
		l.late = append(l.late, p)
	}
	l.tls = d
}

// noticeHidden says which flags and variables the config file makes void.
func (l *Loaded) noticeHidden(path settings.Setting, variables map[string]settings.Setting) {
	var hidden []string
	for _, name := range sorted(l.set) {
		if name != "config-file" {
			hidden = append(hidden, "--"+name)
		}
	}
	void := []string{"ETCD_PEER", "ETCD_TOKEN", "ETCD_NODE_INTERFACE", "ETCD_NODE_ADDRESS_WAIT"}
	etcdflags.New().VisitAll(func(f *flag.Flag) {
		if f.Name != "config-file" {
			void = append(void, settings.Variable(f.Name))
		}
	})
	for _, name := range sorted(variables) {
		if slices.Contains(void, name) || pairName.MatchString(name) {
			hidden = append(hidden, name)
		}
	}
	text := "the config file %s alone counts"
	if len(hidden) > 0 {
		text += "; without effect: %s"
		l.notice(text, path.Value, join(hidden))
		return
	}
	l.notice(text, path.Value)
}
