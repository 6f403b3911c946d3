package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"go.etcd.io/etcd/server/v3/embed"
)

// securityKeys are those of client-transport-security and
// peer-transport-security in etcd's config file.
var securityKeys = []string{
	"cert-file", "key-file", "client-cert-file", "client-key-file", "client-cert-auth", "trusted-ca-file", "auto-tls",
	"allowed-cn", "allowed-hostname", "skip-client-san-verification",
}

const clientSecurity, peerSecurity = "client-transport-security", "peer-transport-security"

// topKeys are the others: those of embed.Config, and what etcd reads into
// fields of other types.
func topKeys() []string {
	keys := []string{
		"listen-peer-urls", "listen-client-urls", "listen-client-http-urls", "initial-advertise-peer-urls", "advertise-client-urls",
		"cors", "host-whitelist", clientSecurity, peerSecurity, "feature-gates",
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[embed.Config]()) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// noticeIgnored names the keys of a config file that etcd passes over without
// a word. data is YAML that etcd has read.
func (l *Loaded) noticeIgnored(path string, data []byte) {
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return // a problem already
	}
	known := topKeys()
	l.noticeKeys(path, "", file, known, func(key string) string {
		key = strings.ToLower(key)
		side, bare := clientSecurity, key
		if peer, ok := strings.CutPrefix(key, "peer-"); ok {
			side, bare = peerSecurity, peer
		}
		switch {
		case bare == "cert-allowed-cn": // flags, which the file calls otherwise
			bare = "allowed-cn"
		case bare == "cert-allowed-hostname":
			bare = "allowed-hostname"
		}
		if slices.Contains(securityKeys, bare) {
			return "it is a key of " + side + ": write " + bare + " there"
		}
		if r, ok := retiredFlag(key); ok {
			if now, _, _ := strings.Cut(r.now, "="); now != "" && !isKey(now, known) {
				return "" // it is in the file as something else again
			}
			return "etcd " + r.last + " was the last to have it: " + r.instead(func(flag string) string { return flag })
		}
		return meant(nearest(key, known))
	})
	for _, side := range []string{clientSecurity, peerSecurity} {
		if keys, ok := file[side].(map[string]any); ok {
			l.noticeKeys(path, side+": ", keys, securityKeys, func(key string) string { return meant(nearest(strings.ToLower(key), securityKeys)) })
		}
	}
}

// noticeKeys names those that are not known, and what why says of each; once
// what it says of several.
func (l *Loaded) noticeKeys(path, within string, file map[string]any, known []string, why func(key string) string) {
	var whys []string // in the order of the first key of each
	keys := make(map[string][]string)
	for _, key := range sorted(file) {
		if isKey(key, known) {
			continue
		}
		w := why(key)
		if keys[w] == nil {
			whys = append(whys, w)
		}
		keys[w] = append(keys[w], key)
	}
	for _, w := range whys {
		text := path + ": " + within + join(keys[w]) + ": etcd's config file has no such key; it is ignored"
		if len(keys[w]) > 1 {
			text = path + ": " + within + join(keys[w]) + ": etcd's config file has no such keys; they are ignored"
		}
		if w != "" {
			text += "; " + w
		}
		l.notice("%s", text)
	}
}

func meant(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean " + name + "?"
}

// settingsInFile are the values of a config file, by the flags that they stand
// for. data is YAML that etcd has read.
func settingsInFile(path string, data []byte) map[string][]Setting {
	set := make(map[string][]Setting)
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return set
	}
	table := newTable()
	take := func(keys map[string]any, known []string, within, prefix string) {
		for key, value := range keys {
			flag := prefix + strings.ToLower(key)
			if isKey(key, known) && table.Lookup(flag) != nil {
				set[flag] = []Setting{{Name: flag, Value: inFlag(value), Source: path + ": " + within + key}}
			}
		}
	}
	take(file, topKeys(), "", "")
	for side, prefix := range map[string]string{clientSecurity: "", peerSecurity: "peer-"} {
		keys, _ := file[side].(map[string]any)
		take(keys, securityKeys, side+".", prefix)
	}
	return set
}

// isKey reports whether etcd knows a key: it does in any case of letters.
func isKey(key string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) })
}

// inFlag is a value of YAML as a flag would have it.
func inFlag(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64: // JSON's only kind of number
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var list []string
		for _, x := range v {
			list = append(list, inFlag(x))
		}
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}

var variable = regexp.MustCompile(`\bETCD_[A-Z_]+\b`)

// asKeys has a text speak of the config file's keys where it speaks of
// variables, which have no effect beside such a file.
func asKeys(text string) string {
	table := newTable()
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "ETCD_"), "_", "-"))
		switch bare, peer := strings.CutPrefix(flag, "peer-"); {
		case table.Lookup(flag) == nil:
			return name
		case peer && slices.Contains(securityKeys, bare):
			return peerSecurity + "." + bare
		case slices.Contains(securityKeys, flag):
			return clientSecurity + "." + flag
		}
		return flag
	})
}
