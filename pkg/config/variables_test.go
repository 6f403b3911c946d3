package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// TestVariables: every variable fills a field of its own, and its default and
// its example are values that it takes.
func TestVariables(t *testing.T) {
	var own values
	fields := make(map[envconfig.Decoder]string)
	for _, v := range Variables {
		in := v.in(&own)
		if other, twice := fields[in]; twice {
			t.Errorf("%s and %s fill one field", v.Name, other)
		}
		fields[in] = v.Name
		if v.Help == "" || strings.HasSuffix(v.Help, ".") || v.Takes == "" {
			t.Errorf("%s: help %q, takes %q", v.Name, v.Help, v.Takes)
		}
		// What helps whoever has written a wrong one is the default, or where that is none a value of its kind.
		if d, err := time.ParseDuration(v.Default); err == nil && d != 0 && !strings.Contains(v.Takes, "such as "+v.Default) {
			t.Errorf("%s takes %q, and its default is %s", v.Name, v.Takes, v.Default)
		}
		for _, value := range []string{v.Default, v.Example} {
			if value == "" {
				continue
			}
			if err := in.Decode(value); err != nil {
				t.Errorf("%s=%s: %v", v.Name, value, err)
			}
		}
	}
	if n := reflect.TypeFor[settings.Node]().NumField() + 2; n != len(Variables) { // peer and token
		t.Errorf("%d fields, %d variables", n, len(Variables))
	}
}

// TestUnknown: a variable that etcd does not know is named with what it should be.
func TestUnknown(t *testing.T) {
	l, err := Load(Input{Environ: []string{
		"ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK=true", "ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME=1h", "ETCD_PROXY=on",
		"ETCD_LISTEN_CLIENT_URL=http://127.0.0.1:2379", "ETCD_COLOUR=s3cret",
	}})
	if err != nil {
		t.Fatal(err)
	}
	proxy, _ := etcdflags.RetiredFlag("proxy")
	all := strings.Join(l.Notices, "\n")
	for _, want := range []string{
		"ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: etcd 3.6 was the last to have this setting, and it is ignored: write ETCD_FEATURE_GATES=InitialCorruptCheck=true\n",
		"ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME: etcd 3.6 was the last to have this setting, and it is ignored: write ETCD_CORRUPT_CHECK_TIME\n",
		"ETCD_PROXY: etcd 3.5 was the last to have this setting, and it is ignored: " + proxy.Instead(nil) + "\n",
		"ETCD_LISTEN_CLIENT_URL: etcd has no such setting; it is ignored; did you mean ETCD_LISTEN_CLIENT_URLS?\n",
		"ETCD_COLOUR: etcd has no such setting; it is ignored\n",
	} {
		if !strings.Contains(all+"\n", want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(all, "s3cret") {
		t.Error("a value is quoted")
	}
}
