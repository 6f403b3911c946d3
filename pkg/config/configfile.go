package config

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
	"sigs.k8s.io/yaml"

	"go.etcd.io/etcd/server/v3/embed"
)

// configFile is etcd's own config file, where one is used: then it alone
// counts, and nothing is detected or derived.
type configFile struct {
	path  Setting
	log   logging
	facts facts
}

// facts are what the supervisor needs to know of the member's configuration.
type facts struct {
	name, dataDir, walDir   string
	heartbeatMS, electionMS uint
}

func factsOf(c *embed.Config) facts {
	return facts{c.Name, c.Dir, c.WalDir, c.TickMs, c.ElectionMs}
}

func (l *Loaded) loadConfigFile(vars map[string]Setting) {
	path := l.set["config-file"][0]
	l.noticeHidden(path, vars)
	l.file = &configFile{path: path}
	data, err := l.in.ReadFile(path.Value)
	if err == nil {
		err = checkConfigFile(data)
	}
	if err == nil {
		err = yaml.Unmarshal(data, &l.file.log)
	}
	if err == nil {
		l.file.facts, err = tryConfigFile(data)
	}
	if err != nil {
		l.problem(path.Source, fmt.Sprintf("%s: %v", path.Value, err), "")
	}
	if l.file.log.Rotate {
		l.notice(rotationNotice)
	}
	if err != nil {
		return
	}
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return // etcd has read it
	}
	l.noticeIgnored(path.Value, file)
	l.checkInFile(path.Value, file)
}

// checkInFile looks at the settings in the config file as at those that are
// given as flags.
func (l *Loaded) checkInFile(path string, file map[string]any) {
	set := settingsInFile(path, file)
	set["data-dir"] = []Setting{{Name: "data-dir", Value: l.file.facts.dataDir, Source: path}} // which may be a default
	d := &derivation{Loaded: &Loaded{in: l.in, set: set}}
	cluster, wrong := parseCluster(d.get("initial-cluster"))
	for _, p := range wrong { // etcd can read what we do not take
		l.notice("%s: %v", d.at("initial-cluster"), p.Error())
	}
	d.cluster = cluster
	if !l.in.unjudged {
		d.check()
	}
	d.checkFiles()
	for _, n := range d.Notices {
		l.Notices = append(l.Notices, asKeys(n))
	}
	for _, p := range d.problems {
		p.Hint = asKeys(p.Hint)
		l.problems = append(l.problems, p)
	}
}

// noticeHidden says which flags and variables the config file makes void.
func (l *Loaded) noticeHidden(path Setting, vars map[string]Setting) {
	var hidden []string
	for _, name := range sorted(l.set) {
		if name != "config-file" {
			hidden = append(hidden, "--"+name)
		}
	}
	void := []string{"ETCD_PEER", "ETCD_TOKEN", "ETCD_NODE_INTERFACE", "ETCD_NODE_ADDRESS_WAIT"}
	newTable().VisitAll(func(f *flag.Flag) {
		if f.Name != "config-file" {
			void = append(void, envName(f.Name))
		}
	})
	for _, name := range sorted(vars) {
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

// checkConfigFile refuses what embed.ConfigFromFile would answer by ending the
// process: a bad URL, and a log level that is none.
func checkConfigFile(data []byte) error {
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	var err error
	newTable().VisitAll(func(f *flag.Flag) {
		value, ok := file[f.Name].(string)
		if !ok || err != nil {
			return
		}
		if isURLs(f) && value != "" {
			if err = f.Value.Set(value); err != nil {
				err = wrongURLs(value)
			}
		} else {
			err = checkLog(f.Name, value)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
		}
	})
	return err
}

// tryConfigFile has etcd itself read and validate a config file that
// checkConfigFile has passed. ConfigFromFile takes a path and opens the log
// files that the config names, so it gets a copy in memory that logs nothing.
func tryConfigFile(data []byte) (facts, error) {
	file := make(map[string]any)
	if err := yaml.Unmarshal(data, &file); err != nil {
		return facts{}, err
	}
	file["log-level"] = "panic" // Validate warns
	if file["enable-log-rotation"] != true {
		delete(file, "log-outputs") // a rotated file is opened by its first line, the others at once
	}
	data, err := yaml.Marshal(file)
	if err != nil {
		return facts{}, err
	}
	fd, err := unix.MemfdCreate("etcd-config", unix.MFD_CLOEXEC)
	if err != nil {
		return facts{}, err
	}
	f := os.NewFile(uintptr(fd), "etcd-config")
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return facts{}, err
	}
	c, err := embed.ConfigFromFile(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return facts{}, err
	}
	if c.Dir == "" {
		c.Dir = c.Name + ".etcd"
	}
	return factsOf(c), nil
}
