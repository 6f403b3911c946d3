package config

import (
	"regexp"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// An env file and etcd's config file are easily taken for each other: they hold
// the same settings, and each passes over what the other one is made of.
var (
	yamlLine = regexp.MustCompile(`(?m)^["']?([a-z][a-z0-9-]*)["']?[ \t]*:(?:[ \t\r]|$)`)
	envLine  = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?ETCD_[A-Z0-9_]+=`)
)

// isYAML reports whether an env file is etcd's config file: it sets nothing of
// etcd's, and a line of it begins with the name of a setting and a colon.
func isYAML(data []byte, file *envfile.File) bool {
	for _, v := range file.Variables {
		if strings.HasPrefix(v.Name, "ETCD_") {
			return false
		}
	}
	t := etcdflags.New()
	for _, found := range yamlLine.FindAllSubmatch(data, -1) {
		if t.Lookup(string(found[1])) != nil {
			return true
		}
	}
	return false
}

func yamlProblem(path string) settings.Problem {
	return settings.Problem{
		Where: path,
		What:  "this is YAML, as etcd's config file has it, and not an env file: none of it counts",
		Hint:  "move it to /etc/etcd/etcd.yml, and write ETCD_CONFIG_FILE=/etc/etcd/etcd.yml into " + path,
	}
}

// isEnvFile reports whether etcd's config file is an env file.
func isEnvFile(data []byte) bool { return envLine.Match(data) }

func envFileProblem(where, path, service string) settings.Problem {
	return settings.Problem{
		Where: where,
		What:  path + ": this is an env file, with NAME=value lines, and not etcd's config file, which is YAML",
		Hint:  "remove this setting, and have the unit read the file: `systemctl edit " + service + "`, [Service] EnvironmentFile=" + path,
	}
}
