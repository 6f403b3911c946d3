package etcdctl

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-node/etcd-node/pkg/failure"
)

func TestFlags(t *testing.T) {
	plain := failure.Values{"client-url": "http://192.168.122.5:2379", "endpoints": "http://192.168.122.6:2379,http://192.168.122.7:2379"}
	tls := failure.Values{"client-url": "https://192.168.122.5:2379", "client-ca": "/ca.crt", "client-cert": "/c.crt", "client-key": "/c.key"}
	for name, tc := range map[string]struct {
		values failure.Values
		env    string
		args   string
		want   string
	}{
		"nothing known":                {nil, "", "get foo", "get foo"},
		"plain":                        {plain, "", "get foo", "--endpoints=http://192.168.122.5:2379 get foo"},
		"own endpoints":                {plain, "", "get foo --endpoints x:1", "get foo --endpoints x:1"},
		"own endpoints, one word":      {plain, "", "--endpoints=x:1 get foo", "--endpoints=x:1 get foo"},
		"own endpoints, a variable":    {plain, "ETCDCTL_ENDPOINTS", "get foo", "get foo"},
		"a key that looks like a flag": {plain, "", "get -- --endpoints", "--endpoints=http://192.168.122.5:2379 get -- --endpoints"},
		"to all":                       {plain, "", "move-leader abc", "--endpoints=http://192.168.122.5:2379,http://192.168.122.6:2379,http://192.168.122.7:2379 move-leader abc"},
		"TLS":                          {tls, "", "get foo", "--cacert=/ca.crt --cert=/c.crt --endpoints=https://192.168.122.5:2379 --key=/c.key get foo"},
		"TLS, an own certificate":      {tls, "ETCDCTL_CERT ETCDCTL_KEY", "get foo", "--cacert=/ca.crt --endpoints=https://192.168.122.5:2379 get foo"},
		"a certificate that nobody has signed": {
			failure.Values{"client-url": "https://a:1", "client-insecure": "true"}, "", "get foo",
			"--endpoints=https://a:1 --insecure-skip-tls-verify=true --insecure-transport=false get foo",
		},
		"only the operator knows": {
			failure.Values{"client-url": "https://a:1", "client-ca": failure.WordCA, "client-cert": failure.WordCert, "client-key": failure.WordKey}, "", "get foo",
			"--endpoints=https://a:1 get foo",
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := func(name string) string {
				if slices.Contains(strings.Fields(tc.env), name) {
					return "set"
				}
				return ""
			}
			if got := strings.Join(Flags(strings.Fields(tc.args), env, tc.values), " "); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
