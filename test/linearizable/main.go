// Linearizable takes leaders away at random moments while clients read and
// write, and checks that every answer they got fits one order of events: nothing
// that was acknowledged is lost, and nobody reads the past.
//
//	go run ./test/linearizable -kills 1000
//	go run ./test/linearizable -losses kill,stop,host,cable -kills 1000
//	go run ./test/linearizable -kills 50 -log FILE    one part of many: repeat it
//	go run ./test/linearizable -kills 0 -log FILE     what the parts have come to
//
// Three daemons run as real processes of bin/etcd-node (make build): on loopback,
// or where hosts and cables are to be lost on three lab hosts, as root. What a
// member says may be lost with its leader is repeated by half of the clients. It
// prints one line of numbers and exits 1 if the history does not fit or was not
// decided, if nothing was asked, if a loss costs more than 1.2 terms, and if there
// were fewer losses than asked for (also at -limit; an interrupt may end it). With
// -log it adds its numbers to a file, and prints the sum of all that are there;
// with a part that failed among them it exits 1 too. The daemons restart their killed members with
// growing pauses, so a kill takes about three seconds, and other losses more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
	log := flag.String("log", "", "add the numbers to this file, a line for each run, and print their sum")
	flag.Parse()
	var err error
	if *kills > 0 || *log == "" {
		p := part{Date: time.Now().UTC(), Asked: *kills, Losses: map[string]int{}}
		err = p.run(ctx, *bin, strings.Split(*losses, ","), *limit)
		if err != nil {
			p.Error = err.Error()
		}
		fmt.Println(p)
		if *log != "" {
			err = errors.Join(err, p.add(*log))
		}
	}
	if *log != "" {
		all, failed := sum(*log)
		fmt.Println("in all:", all)
		err = errors.Join(err, failed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "linearizable:", err)
		os.Exit(1)
	}
}

// run takes leaders away until there were as many losses as asked for.
func (p *part) run(ctx context.Context, bin string, losses []string, limit time.Duration) (err error) {
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
	if p.Version, err = c.version(ctx); err != nil {
		return err
	}
	var clients []*clientv3.Client
	for _, m := range c.members() {
		clients = append(clients, m.Client)
	}
	h := history.Start(clients, pause)
	begun := time.Now()
	var wrong error
	for p.total() < p.Asked && time.Since(begun) < limit && ctx.Err() == nil && wrong == nil {
		// Another moment of the election each time: also while one goes on.
		time.Sleep(time.Duration(200+rand.IntN(500)) * time.Millisecond)
		i, _, err := leader(ctx, c)
		if err != nil {
			if ctx.Err() == nil {
				wrong = err
			}
			break
		}
		kind := losses[rand.IntN(len(losses))]
		was, err := c.lose(ctx, kind, i)
		if err != nil {
			wrong = fmt.Errorf("%s: %w", kind, err)
		}
		if was {
			p.Losses[kind]++
		}
	}
	r := h.Stop()
	p.count(r)
	p.Seconds = time.Since(begun).Seconds()
	for _, text := range r.Illegal {
		fmt.Print(text)
	}
	// Not under ctx: also an interrupted run is checked.
	settle, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, last, err := leader(settle, c)
	if err != nil {
		wrong = errors.Join(wrong, fmt.Errorf("after %d losses there is no leader: %w", p.total(), err))
	} else {
		p.Terms = last - first
	}
	return errors.Join(p.verdict(ctx.Err() != nil), wrong)
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
