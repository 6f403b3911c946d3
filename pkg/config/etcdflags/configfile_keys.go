package etcdflags

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3discovery"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

const (
	clientSecurity = "client-transport-security"
	peerSecurity   = "peer-transport-security"
	socketOptions  = "socket-options"
	discovery      = "discovery-config"
)

// fileSections are the keys of etcd's config file, by the key that they stand
// under; "" is the file itself.
var fileSections = sync.OnceValue(func() map[string][]string {
	// A type of embed that is not exported.
	security := []string{
		"cert-file", "key-file", "client-cert-file", "client-key-file", "client-cert-auth", "trusted-ca-file", "auto-tls",
		"allowed-cn", "allowed-hostname", "skip-client-san-verification",
	}
	return map[string][]string{
		"": append(keys[embed.Config](), // and another such type
			"listen-peer-urls", "listen-client-urls", "listen-client-http-urls", "initial-advertise-peer-urls", "advertise-client-urls",
			"cors", "host-whitelist", "feature-gates", clientSecurity, peerSecurity),
		clientSecurity:               security,
		peerSecurity:                 security,
		socketOptions:                keys[transport.SocketOpts](),
		discovery:                    append(keys[v3discovery.DiscoveryConfig](), "client"),
		discovery + ".client":        keys[clientv3.ConfigSpec](),
		discovery + ".client.secure": keys[clientv3.SecureConfig](),
		discovery + ".client.auth":   keys[clientv3.AuthConfig](),
	}
})

// keys are those of a type's own fields.
func keys[T any]() (keys []string) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// renamed are the flags that the file calls otherwise, by more than the
// section that they are in.
var renamed = map[string]string{
	"client-cert-allowed-hostname": clientSecurity + ".allowed-hostname",
	"peer-cert-allowed-hostname":   peerSecurity + ".allowed-hostname",
	"peer-cert-allowed-cn":         peerSecurity + ".allowed-cn",
	"socket-reuse-port":            socketOptions + ".reuse-port",
	"socket-reuse-address":         socketOptions + ".reuse-address",
	"discovery-token":              discovery + ".token",
	"discovery-user":               discovery + ".client.auth.username",
	"discovery-password":           discovery + ".client.auth.password",
}

// keyOf is the key that a flag has in the file, with its sections before it,
// "peer-transport-security.cert-file"; false if the file cannot say it.
func keyOf(flag string) (key string, ok bool) {
	if key, ok := renamed[flag]; ok {
		return key, true
	}
	in := func(section, prefix string) bool {
		bare, cut := strings.CutPrefix(flag, prefix)
		if !cut || !isKey(bare, fileSections()[section]) {
			return false
		}
		key = strings.TrimPrefix(section+"."+bare, ".")
		return true
	}
	return key, in("", "") || in(clientSecurity, "") || in(peerSecurity, "peer-") ||
		in(discovery+".client", "discovery-") || in(discovery+".client.secure", "discovery-")
}

// isKey reports whether etcd knows a key: it does in any case of letters.
func isKey(key string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) })
}

// find is the value of a key with its sections before it, nil if there is none.
func find(file map[string]any, key string) any {
	first, rest, more := strings.Cut(key, ".")
	for _, k := range slices.Sorted(maps.Keys(file)) {
		if !strings.EqualFold(k, first) {
			continue
		}
		if !more {
			return file[k]
		}
		if within, ok := file[k].(map[string]any); ok {
			return find(within, rest)
		}
	}
	return nil
}

// Settings are the file's values, by the flags that they stand for; path is
// what messages call the file.
func (f *File) Settings(path string) map[string][]settings.Setting {
	set := make(map[string][]settings.Setting)
	for _, flag := range New().Names() {
		key, ok := keyOf(flag)
		if value := find(f.keys, key); ok && value != nil {
			set[flag] = []settings.Setting{{Name: flag, Value: inFlag(value), Source: path + ": " + key}}
		}
	}
	return set
}

// Ignored names the keys that etcd passes over without a word, and what to
// write instead; path is what messages call the file.
func (f *File) Ignored(path string) (notices []string) {
	for _, section := range slices.Sorted(maps.Keys(fileSections())) {
		within, prefix := f.keys, path+": "
		if section != "" {
			within, _ = find(f.keys, section).(map[string]any)
			prefix += section + ": "
		}
		known := fileSections()[section]
		var whys []string // in the order of the first key of each
		ignored := make(map[string][]string)
		for _, key := range slices.Sorted(maps.Keys(within)) {
			if isKey(key, known) {
				continue
			}
			why := meant(settings.Nearest(strings.ToLower(key), known))
			if section == "" {
				why = becameOf(strings.ToLower(key), why)
			}
			if ignored[why] == nil {
				whys = append(whys, why)
			}
			ignored[why] = append(ignored[why], key)
		}
		for _, why := range whys {
			what := "etcd's config file has no such key; it is ignored"
			if len(ignored[why]) > 1 {
				what = "etcd's config file has no such keys; they are ignored"
			}
			notices = append(notices, prefix+strings.Join(ignored[why], ", ")+": "+what+why)
		}
	}
	return notices
}

// becameOf says what to write instead of a flag's name at the top of the file,
// where there is a place for it; else is what to say otherwise.
func becameOf(flag, otherwise string) string {
	if key, ok := keyOf(flag); ok {
		return "; write it as " + key
	}
	r, ok := RetiredFlag(flag)
	if !ok {
		return otherwise
	}
	was := "; etcd " + r.Last + " was the last to have it"
	now, value, _ := strings.Cut(r.now, "=")
	switch key, ok := keyOf(now); {
	case now == "":
		return was + ": " + r.why + "; remove it"
	case !ok:
		return was
	case value != "":
		return was + ": write " + key + ": " + value
	default:
		return was + ": write " + key
	}
}

func meant(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
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

// AsKeys has a text speak of the config file's keys where it speaks of
// variables, which have no effect beside such a file.
func AsKeys(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		if key, ok := keyOf(settings.Flag(name)); ok {
			return key
		}
		return name
	})
}
