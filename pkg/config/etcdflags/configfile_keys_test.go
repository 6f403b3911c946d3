package etcdflags

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/etcd-node/etcd-node/test/stock"
)

// fileKeys are the keys that embed.ConfigFromFile knows beside the fields of
// embed.Config, with a value for each.
var fileKeys = map[string]any{
	"listen-peer-urls":            "http://127.0.0.1:22380,unix://sock:1",
	"listen-client-urls":          "http://127.0.0.1:22379,http://127.0.0.1:22378",
	"listen-client-http-urls":     "http://127.0.0.1:22377",
	"initial-advertise-peer-urls": "http://127.0.0.1:22380,http://10.0.0.5:2380",
	"advertise-client-urls":       "https://a.example:2379",
	"cors":                        "http://a.example:80,http://b.example:81",
	"host-whitelist":              "a.example,b.example",
	"feature-gates":               "InitialCorruptCheck=true",
	"client-transport-security": map[string]any{
		"cert-file": "/c", "key-file": "/key", "client-cert-file": "/cc", "client-key-file": "/ckey", "client-cert-auth": true,
		"trusted-ca-file": "/ca", "auto-tls": true, "allowed-hostname": []string{"a"}, "skip-client-san-verification": true,
	},
	"peer-transport-security": map[string]any{
		"cert-file": "/c", "key-file": "/key", "client-cert-file": "/cc", "client-key-file": "/ckey", "client-cert-auth": true,
		"trusted-ca-file": "/ca", "auto-tls": true, "allowed-cn": []string{"a", "b"}, "skip-client-san-verification": true,
	},
	"discovery-config":      map[string]any{"client": map[string]any{"endpoints": []string{"http://127.0.0.1:1"}, "dial-timeout": 7000000000}, "token": "t"},
	"socket-options":        map[string]any{"reuse-port": true, "reuse-address": true},
	"listen-metrics-urls":   "http://127.0.0.1:22376",
	"cipher-suites":         []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
	"initial-cluster-state": "existing",
	"initial-cluster":       "m1=http://127.0.0.1:22380,m2=http://127.0.0.2:2380",
	// Of etcd's sample, and ignored by it.
	"discovery-fallback": "proxy", "discovery-proxy": "http://127.0.0.1:1", "proxy": "off", "proxy-read-timeout": 0,
	"no-such-key": "x",
}

// TestConfigFileKeys: each key of etcd's config file, and all of them
// together, come to what etcd's own main makes of the file.
func TestConfigFileKeys(t *testing.T) {
	keys := maps.Clone(fileKeys)
	plain := reflect.ValueOf(*embed.NewConfig())
	for _, f := range reflect.VisibleFields(plain.Type()) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, given := keys[key]; key == "" || key == "-" || given || key == "grpc-additional-server-options" || len(f.Index) > 1 {
			continue // the last but one cannot be written in YAML
		}
		keys[key] = fileValue(t, key, plain.FieldByIndex(f.Index))
	}
	New().VisitAll(func(f *flag.Flag) {
		// What etcd's file calls otherwise, or cannot say.
		other := IsIgnored(f) || slices.ContainsFunc([]string{"discovery-", "socket-reuse", "peer-", "client-c", "client-k", "raft-"}, func(p string) bool { return strings.HasPrefix(f.Name, p) }) ||
			slices.Contains([]string{"config-file", "version", "cert-file", "key-file", "trusted-ca-file", "auto-tls"}, f.Name)
		if _, known := keys[f.Name]; !known && !other {
			t.Errorf("no key for --%s", f.Name)
		}
	})

	for key, value := range keys {
		if isKey(key, fileSections()[""]) != plainField(key) {
			t.Errorf("%s: known as a key of the file: %v", key, !plainField(key))
		}
		within, _ := value.(map[string]any)
		for k := range within {
			if !isKey(k, fileSections()[key]) {
				t.Errorf("%s.%s is not known as a key of the file", key, k)
			}
		}
	}

	path := filepath.Join(t.TempDir(), "etcd.yml")
	compare := func(t *testing.T, file map[string]any) (got *embed.Config) {
		data, err := yaml.Marshal(file)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := stock.Config([]string{"--config-file=" + path})
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		got, err = Member([]string{"--config-file=" + path}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := stock.Differences(got, want); len(diff) > 0 {
			t.Errorf("differs from etcd's own: %s\n%s", strings.Join(diff, "\n"), data)
		}
		return got
	}
	quiet := func() map[string]any {
		return map[string]any{"name": "m1", "log-outputs": []string{"/dev/null"}}
	}
	base := compare(t, quiet())
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		t.Run(key, func(t *testing.T) {
			file := quiet()
			file[key] = keys[key]
			got := compare(t, file)
			reached := slices.DeleteFunc(stock.Differences(got, base), func(d string) bool { return strings.HasPrefix(d, "FlagsExplicitlySet") })
			if _, ours := fileKeys[key]; len(reached) == 0 && !strings.Contains("logger v2-deprecation", key) && (!ours || plainField(key)) {
				t.Errorf("%s: %v reached no field", key, keys[key])
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		delete(keys, "discovery-config") // against initial-cluster
		delete(keys, "discovery-srv")
		maps.Copy(keys, map[string]any{"log-outputs": []string{"/dev/null"}, "enable-log-rotation": false, "tls-min-version": "TLS1.2"})
		compare(t, keys)
	})
}

// plainField reports whether a key of fileKeys is one that etcd heeds.
func plainField(key string) bool {
	return !strings.HasPrefix(key, "proxy") && !slices.Contains([]string{"discovery-fallback", "discovery-proxy", "no-such-key"}, key)
}

// fileValue is a value of a field of embed.Config that is not its default.
func fileValue(t *testing.T, key string, field reflect.Value) any {
	if v, ok := stock.Samples[key]; ok && field.Kind() == reflect.String {
		return v
	}
	switch v := field.Interface().(type) {
	case time.Duration:
		return v + 77*time.Second
	case bool:
		return !v
	case []string:
		return []string{"/dev/null", "stdout"}
	}
	switch {
	case key == "heartbeat-interval":
		return 50
	case field.CanInt():
		return field.Int() ^ 1<<6
	case field.CanUint():
		return field.Uint() ^ 1<<6
	case field.Kind() == reflect.String:
		return "/some/" + key
	}
	t.Errorf("%s: no value for a %v", key, field.Type())
	return nil
}
