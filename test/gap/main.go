// Gap shows for how long the members of a cluster did not take puts, one line
// per member, when it is interrupted or its time is over:
//
//	go run ./test/gap -endpoints http://192.168.122.5:2379,http://192.168.122.6:2379
//
// It puts the key probe/ENDPOINT through each member every 10 ms, in an open
// loop, and in a closed loop beside it, as a client does that waits for each
// answer. Kill a leader meanwhile, restart a member, pull a cable.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"go.etcd.io/etcd/client/pkg/v3/transport"

	"github.com/etcd-node/etcd-node/test/prober"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	endpoints := flag.String("endpoints", "http://127.0.0.1:2379", "client URLs, one member each, separated by commas")
	length := flag.Duration("for", time.Hour, "how long to probe")
	interval := flag.Duration("interval", 10*time.Millisecond, "between two puts of the open loop")
	timeout := flag.Duration("timeout", time.Second, "after which a client of the closed loop gives a put up")
	var tls transport.TLSInfo
	flag.StringVar(&tls.TrustedCAFile, "cacert", "", "CA of the members' certificates, for https")
	flag.StringVar(&tls.CertFile, "cert", "", "the client's certificate")
	flag.StringVar(&tls.KeyFile, "key", "", "and its key")
	flag.Parse()

	var targets []prober.Target
	for endpoint := range strings.SplitSeq(*endpoints, ",") {
		cfg := clientv3.Config{
			Endpoints: []string{endpoint}, Logger: zap.NewNop(),
			// Else the gap of a member that was down is grpc's patience.
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.2, MaxDelay: 50 * time.Millisecond},
				MinConnectTimeout: time.Second,
			})},
		}
		if strings.HasPrefix(endpoint, "https://") {
			var err error
			if cfg.TLS, err = tls.ClientConfig(); err != nil {
				return err
			}
		}
		cli, err := clientv3.New(cfg)
		if err != nil {
			return fmt.Errorf("%s: %w", endpoint, err)
		}
		defer cli.Close()
		targets = append(targets, prober.Put(endpoint, cli))
	}
	// etcd gives up a put by itself after 5 s and two election timeouts.
	open, closed := prober.Start(*interval, 20*time.Second, targets...), prober.StartClosed(*timeout, targets...)
	fmt.Fprintln(os.Stderr, "gap: probing; ^C shows what was seen")
	select {
	case <-ctx.Done():
	case <-time.After(*length):
	}
	shut := closed.Stop()
	seen := open.Stop()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MEMBER\tOPEN LOOP: GAP\tFAILED\tOF\tCLOSED LOOP: GAP\tSLOWEST ANSWER\tFAILED\tOF\tLAST ERROR")
	for i, t := range targets {
		o, c := seen[i], shut[i]
		last := ""
		if o.LastErr != nil {
			last = o.LastErr.Error()
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%d\t%s\n", t.Name, o.Gap.Round(time.Millisecond), o.Failures, o.Tries,
			c.Gap.Round(time.Millisecond), c.Slowest().Round(time.Millisecond), c.Failures, c.Tries, last)
	}
	return w.Flush()
}
