// Linearizable kills leaders at random moments while clients read and write,
// and checks that every answer they got fits one order of events: nothing that
// was acknowledged is lost, and nobody reads the past.
//
//	go run ./test/linearizable -kills 1000
//
// Three daemons run on loopback, as real processes of bin/etcd-node (make
// build). It prints one line of numbers and exits 1 if the history does not
// fit, or if a kill costs more than 1.2 terms. The daemons restart their killed
// members with growing pauses, so a kill takes about three seconds.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/history"
)

// pause is the longest pause of a client between two calls.
const pause = 20 * time.Millisecond

// maxTerms is how many terms a kill may cost on average: one, and now and then
// a second candidate.
const maxTerms = 1.2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin := flag.String("bin", "bin/etcd-node", "the daemon")
	kills := flag.Int("kills", 100, "leaders to kill")
	limit := flag.Duration("limit", time.Hour, "stop killing after this time")
	flag.Parse()
	if err := run(ctx, *bin, *kills, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "linearizable:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, kills int, limit time.Duration) error {
	c, err := start(bin)
	defer c.close()
	if err != nil {
		return err
	}
	_, first, err := c.leader(ctx)
	if err != nil {
		return err
	}
	h := history.Start(c.clients, pause)
	begun, killed := time.Now(), 0
	for killed < kills && time.Since(begun) < limit && ctx.Err() == nil {
		// Another moment of the election each time: also while one goes on.
		time.Sleep(time.Duration(200+rand.IntN(500)) * time.Millisecond)
		n, _, err := c.leader(ctx)
		if err != nil {
			break
		}
		if killMember(n) {
			killed++
		}
	}
	r := h.Stop()
	// Not under ctx: also an interrupted run is checked.
	settle, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, last, err := c.leader(settle)
	if err != nil {
		return fmt.Errorf("after %d kills there is no leader: %w", killed, err)
	}
	terms := float64(last-first) / float64(max(1, killed))
	for _, text := range r.Illegal {
		fmt.Print(text)
	}
	fmt.Printf("%d kills in %s; %.2f terms a kill; %d operations on %d groups of keys, %d of unknown outcome; %d groups not linearizable, %d undecided\n",
		killed, time.Since(begun).Round(time.Second), terms, r.Operations, r.Groups, r.Unknown, len(r.Illegal), r.Undecided)
	switch {
	case len(r.Illegal) > 0:
		return fmt.Errorf("%d groups of keys have a history that no order of events explains", len(r.Illegal))
	case terms > maxTerms:
		return fmt.Errorf("a kill costs %.2f terms, more than %.1f", terms, maxTerms)
	}
	return nil
}
