package etcdflags

import (
	"flag"
	"fmt"
	"maps"
	"os"

	"golang.org/x/sys/unix"
	"sigs.k8s.io/yaml"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// File is etcd's own config file, read and validated by etcd itself.
type File struct {
	Member settings.Member
	Log    Logging
	keys   map[string]any
}

// ReadFile takes the content of a config file. It writes nothing, and opens no
// log that the file names.
func ReadFile(data []byte) (f *File, err error) {
	f = &File{}
	if f.keys, err = checkFile(data); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(data, &f.Log); err != nil {
		return nil, err
	}
	c, err := tryFile(f.keys)
	if err != nil {
		return nil, err
	}
	f.Member = memberOf(c)
	return f, nil
}

// checkFile refuses what embed.ConfigFromFile would answer by ending the
// process: a bad URL, and a log level that does not exist.
func checkFile(data []byte) (keys map[string]any, err error) {
	if err := yaml.Unmarshal(data, &keys); err != nil {
		return nil, err
	}
	New().VisitAll(func(f *flag.Flag) {
		value, ok := keys[f.Name].(string)
		if !ok || err != nil {
			return
		}
		if IsURLs(f) && value != "" {
			err = Set(f, value)
		} else {
			err = checkLog(f.Name, value)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
		}
	})
	return keys, err
}

// tryFile has etcd itself read and validate a config file that checkFile has
// passed. ConfigFromFile takes a path and opens the log files that the config
// names, so it gets a copy in memory that logs nothing.
func tryFile(keys map[string]any) (*embed.Config, error) {
	quiet := maps.Clone(keys)
	if quiet == nil {
		quiet = make(map[string]any)
	}
	quiet["log-level"] = "panic" // Validate warns
	if quiet["enable-log-rotation"] != true {
		delete(quiet, "log-outputs") // a rotated file is opened by its first line, the others at once
	}
	data, err := yaml.Marshal(quiet)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("etcd-config", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "etcd-config")
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return nil, err
	}
	return embed.ConfigFromFile(fmt.Sprintf("/proc/self/fd/%d", fd))
}
