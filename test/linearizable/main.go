// Linearizable takes leaders away at random moments while clients read and
// write, and checks that every answer they got fits one order of events: nothing
// that was acknowledged is lost, and nobody reads the past.
//
//	go run ./test/linearizable -kills 1000
//	go run ./test/linearizable -losses kill,stop,host,cable -kills 1000
//
// Three daemons run as real processes of bin/etcd-node (make build): on loopback,
// or where hosts and cables are to be lost on three lab hosts, as root. What a
// member says may be lost with its leader is repeated by half of the clients. It
// prints one line of numbers and exits 1 if the history does not fit, or if a
// loss costs more than 1.2 terms. The daemons restart their killed members with
// growing pauses, so a kill takes about three seconds, and other losses more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-node/etcd-node/test/history"
)

// pause is the longest pause of a client between two calls.
const pause = 20 * time.Millisecond

// maxTerms is how many terms a loss may cost on average: one, and now and then
// a second candidate.
const maxTerms = 1.2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin := flag.String("bin", "bin/etcd-node", "the daemon")
	kills := flag.Int("kills", 100, "leaders to lose")
	losses := flag.String("losses", kill, "how, one of them at random each time: kill, stop, host, cable; the last two need hosts, and root")
	limit := flag.Duration("limit", time.Hour, "stop after this time")
	flag.Parse()
	if err := run(ctx, *bin, strings.Split(*losses, ","), *kills, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "linearizable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, losses []string, kills int, limit time.Duration) (err error) {
	c, err := begin(ctx, bin, losses)
	if c != nil {
		defer func() { err = errors.Join(err, c.close()) }()
	}
	if err != nil {
		return err
	}
	_, first, err := leader(ctx, c)
	if err != nil {
		return err
	}
	var clients []*clientv3.Client
	for _, m := range c.members() {
		clients = append(clients, m.Client)
	}
	h := history.Start(clients, pause)
	begun, lost := time.Now(), map[string]int{}
	total := 0
	var wrong error
	for total < kills && time.Since(begun) < limit && ctx.Err() == nil && wrong == nil {
		// Another moment of the election each time: also while one goes on.
		time.Sleep(time.Duration(200+rand.IntN(500)) * time.Millisecond)
		i, _, err := leader(ctx, c)
		if err != nil {
			break
		}
		kind := losses[rand.IntN(len(losses))]
		was, err := c.lose(ctx, kind, i)
		if err != nil {
			wrong = fmt.Errorf("%s: %w", kind, err)
		}
		if was {
			lost[kind]++
			total++
		}
	}
	r := h.Stop()
	// Not under ctx: also an interrupted run is checked.
	settle, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, last, err := leader(settle, c)
	if err != nil {
		return fmt.Errorf("after %d losses there is no leader: %w", total, err)
	}
	terms := float64(last-first) / float64(max(1, total))
	for _, text := range r.Illegal {
		fmt.Print(text)
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(lost)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", lost[kind], kind))
	}
	fmt.Printf("%d losses (%s) in %s; %.2f terms a loss; %d operations on %d groups of keys, %d of unknown outcome, %d of those lost with their leader, %d repeated; %d groups not linearizable, %d undecided\n",
		total, strings.Join(kinds, ", "), time.Since(begun).Round(time.Second), terms, r.Operations, r.Groups, r.Unknown, r.Lost, r.Repeated, len(r.Illegal), r.Undecided)
	switch {
	case len(r.Illegal) > 0:
		return fmt.Errorf("%d groups of keys have a history that no order of events explains", len(r.Illegal))
	case wrong != nil:
		return wrong
	case terms > maxTerms:
		return fmt.Errorf("a loss costs %.2f terms, more than %.1f", terms, maxTerms)
	}
	return nil
}

// begin starts the cluster that can be mistreated so. It is to be closed, also
// when there is an error, unless it is nil.
func begin(ctx context.Context, bin string, losses []string) (cluster, error) {
	for _, l := range losses {
		if !slices.Contains([]string{kill, stop, host, cable}, l) {
			return nil, fmt.Errorf("-losses: there is no %q: kill, stop, host, cable", l)
		}
	}
	if slices.Contains(losses, host) || slices.Contains(losses, cable) {
		c, err := startHosts(ctx)
		if c == nil {
			return nil, err
		}
		return c, err
	}
	return startLocal(bin)
}
