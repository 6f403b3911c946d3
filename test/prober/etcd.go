package prober

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Put tries to put a key through the client, which should have one endpoint.
func Put(name string, client *clientv3.Client) Target {
	return Target{Name: name, Try: func(ctx context.Context) error {
		_, err := client.Put(ctx, "probe/"+name, "")
		return err
	}}
}
