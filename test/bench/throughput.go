package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/prober"
	"github.com/etcd-node/etcd-node/test/steps"
)

const (
	// As etcd's own benchmark has it in its documentation.
	keySize, valueSize = 8, 256
	// keys are how many there are.
	keys = 100_000
	// read is how many of them are there to be read.
	read = 1000
	// most of the clients share a connection with others from here on.
	connections = 32
	warming     = 2 * time.Second
)

const throughputAbout = `Clients in closed loops as those of etcd's own ` + "`benchmark`" + `, which ask again as soon as they have an answer: keys of 8 bytes, 100,000 of them at
random, values of 256 bytes, over 32 connections at most, to all members alike; one client asks the leader. *Mixed* is as many reads as puts. CPU is that of all processes of the
units on all hosts. Clients and members share the cores.`

// counts are how many clients there are, one after the other.
var counts = []int{1, 16, 256}

// job is what clients do.
type job struct {
	name string
	setup
	label string // of the line that is drawn
	do    func(ctx context.Context, cli *clientv3.Client, n int) error
}

func throughputRows(o options) []row {
	put := func(ctx context.Context, cli *clientv3.Client, _ int) error {
		_, err := cli.Put(ctx, key(rand.IntN(keys)), value)
		return err
	}
	get := func(opts ...clientv3.OpOption) func(context.Context, *clientv3.Client, int) error {
		return func(ctx context.Context, cli *clientv3.Client, _ int) error {
			_, err := cli.Get(ctx, key(rand.IntN(read)), opts...)
			return err
		}
	}
	linearizable := get()
	mixed := func(ctx context.Context, cli *clientv3.Client, n int) error {
		if n%2 == 0 {
			return put(ctx, cli, n)
		}
		return linearizable(ctx, cli, n)
	}
	var all []row
	for _, j := range []job{
		{"puts", setup{}, "puts", put},
		{"puts, with TLS", setup{tls: true}, "puts with TLS", put},
		{"puts, one member", setup{hosts: 1}, "", put},
		{"puts, five members", setup{hosts: 5}, "", put},
		{"mixed", setup{}, "mixed", mixed},
		{"linearizable reads", setup{}, "linearizable reads", linearizable},
		{"serializable reads", setup{}, "", get(clientv3.WithSerializable())},
	} {
		j.timing = near
		var figures []figure
		for _, n := range counts {
			clients := fmt.Sprintf("%d clients, ", n)
			if n == 1 {
				clients = "1 client, "
			}
			per := chart{}
			if j.label != "" {
				per = chart{name: "throughput", label: j.label, x: float64(n)}
			}
			figures = append(figures,
				figure{name: clients + "answers a second", unit: rate, goal: goal{atLeast: 0.97}, chart: per},
				figure{name: clients + "p50", unit: seconds},
				figure{name: clients + "p99", unit: seconds, goal: goal{atMost: 1.05}},
				figure{name: clients + "p99.9", unit: seconds},
				figure{name: clients + "CPU for each", unit: seconds, goal: goal{atMost: 1.01}},
			)
		}
		all = append(all, row{name: j.name, setup: j.setup, figures: figures, measure: func(ctx context.Context, c *cluster) []float64 { return j.measure(ctx, c, o.length) }})
	}
	return append(all, fanOutRow(o), leaseRow(o))
}

func key(n int) string {
	var b [keySize]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	return string(b[:])
}

var value = strings.Repeat("v", valueSize)

// led is a cluster whose first host leads: whether a client asks the leader or
// another makes a difference that is not the subjects'.
func (c *cluster) led(ctx context.Context) {
	c.start(ctx)
	c.settle(ctx)
	if leader, _ := c.leader(ctx); leader != c.Hosts[0] {
		c.move(ctx, leader, c.Hosts[0])
	}
}

func (j job) measure(ctx context.Context, c *cluster, length time.Duration) (values []float64) {
	c.led(ctx)
	for i := range read {
		steps.Of(c.client(c.Hosts[0]).Put(ctx, key(i), value))
	}
	clients := c.many(connections)
	for _, n := range counts {
		values = append(values, c.rate(ctx, n, length, func(ctx context.Context, i, k int) error { return j.do(ctx, clients[i%len(clients)], k) })...)
	}
	return values
}

// many are so many clients with a connection each, of all members alike. They
// end with the cluster.
func (c *cluster) many(n int) (clients []*clientv3.Client) {
	for i := range n {
		cli := steps.Of(c.Client(c.pki.TLS(), c.Hosts[i%len(c.Hosts)]))
		c.later(func(context.Context) error { return cli.Close() })
		clients = append(clients, cli)
	}
	return clients
}

// rate measures what clients get: answers a second, the 50th, 99th and 99.9th
// percentile of how long they took, and CPU seconds for each.
func (c *cluster) rate(ctx context.Context, clients int, length time.Duration, try func(ctx context.Context, client, n int) error) []float64 {
	prober.Run(ctx, clients, warming, try)
	before := c.cpu()
	r := prober.Run(ctx, clients, length, try)
	used := c.cpu() - before
	steps.Must(ctx.Err())
	if r.Errors > 0 {
		// It costs what it costs, and the others are measured.
		fmt.Fprintf(os.Stderr, "%s: %d of %d answers are errors, such as: %v\n", c.name, r.Errors, r.Answers, r.LastErr)
	}
	if r.Answers == r.Errors {
		steps.Fail("%d clients got no answer but errors: %w", clients, r.LastErr)
	}
	return []float64{r.PerSecond(), r.Quantile(0.5).Seconds(), r.Quantile(0.99).Seconds(), r.Quantile(0.999).Seconds(), used.Seconds() / float64(r.Answers-r.Errors)}
}

// cpu is what the units of all hosts have used.
func (c *cluster) cpu() (all time.Duration) {
	for _, h := range c.Hosts {
		all += steps.Of(h.CPU(c.unit))
	}
	return all
}
