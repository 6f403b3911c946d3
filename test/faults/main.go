// Faults makes everything go wrong that etcd is known to end of, or worse, does
// not end of, in real processes: on loopback, with a socket that plays systemd,
// and where it takes a machine, on three lab hosts. Each fault has to end in one
// of two ways: back by itself without losing an acknowledged write, or stopped or
// shown with its cause and the next command. It needs root.
//
//	go run ./test/faults                      every row: half an hour
//	go run ./test/faults -local               those that need no hosts: ten minutes
//	go run ./test/faults -run wal -n 5        the rows that match, five times each
//	go run ./test/faults -write               and writes docs/FAULTS.md
//	go run ./test/faults -write -run wal      plays some, and replaces or adds their rows in it
//	go run ./test/faults -bootstrap-kills 500 kills a first start, again and again
//
// It prints the table and exits 1 if a row is not as expected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/test/lab"
)

// rowLimit ends a row that hangs. The longest waits for two retries of a fault
// that an operator has to repair, 36 s each, and boots hosts.
const rowLimit = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	only := flag.String("run", "", "play the rows whose name or catalogue entry matches this regular expression")
	local := flag.Bool("local", false, "leave out the rows that need hosts")
	n := flag.Int("n", 1, "how often each is played")
	write := flag.Bool("write", false, "write docs/FAULTS.md")
	kills := flag.Int("bootstrap-kills", 0, "instead: kill so many first starts of a single member")
	flag.Parse()
	if *write && *local {
		return errors.New("-write goes with all rows, or with those that -run names")
	}
	match, err := regexp.Compile("(?i)" + *only)
	if err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("this needs root: it runs daemons as another user, mounts, and boots hosts")
	}
	p, err := install(root)
	if err != nil {
		return err
	}
	defer p.remove()
	if *kills > 0 {
		return bootstrapKills(ctx, p, *kills)
	}

	defer func() { err = errors.Join(err, closeHosts()) }()
	var all []result
	faults := processFaults(p)
	if !*local {
		faults = append(faults, hostFaults()...)
	}
	for _, f := range faults {
		if !match.MatchString(f.name) && !match.MatchString(f.id) {
			continue
		}
		r := play(ctx, f, *n)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(all) == 0 {
			fmt.Print(columns)
		}
		fmt.Print(r.line())
		all = append(all, r)
	}
	switch page := filepath.Join(root, "docs/FAULTS.md"); {
	case *write && *only != "":
		if err := updatePage(page, all, faults); err != nil {
			return err
		}
	case *write:
		if err := writePage(page, p, *n, all); err != nil {
			return err
		}
	}
	return verdict(all)
}

// play plays one row n times, or until it is not as expected.
func play(ctx context.Context, f fault, n int) result {
	r := result{fault: f}
	for range n {
		ctx, cancel := context.WithTimeout(ctx, rowLimit)
		seen, took, err := f.run(ctx)
		cancel()
		r.seen = seen
		if err != nil {
			r.err = err
			break
		}
		r.took = append(r.took, took)
		if n > 1 {
			fmt.Fprintf(os.Stderr, "%s: %.3f s\n", f.name, took.Seconds())
		}
	}
	return r
}

// verdict is the error that names the rows that are not as expected.
func verdict(all []result) error {
	var errs []error
	for _, r := range all {
		if err := r.wrong(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%d of %d rows are not as expected:\n%w", len(errs), len(all), errors.Join(errs...))
	}
	return nil
}
