package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-node/etcd-node/test/lab"
	"github.com/etcd-node/etcd-node/test/poll"
	"github.com/etcd-node/etcd-node/test/steps"
)

// patroniPackages are Debian's, on the hosts of these rows.
const patroniPackages = "patroni,postgresql,python3-etcd,python3-psycopg2"

const patroniAbout = `A real client: Debian's Patroni and PostgreSQL on the three hosts, beside etcd, which they use through its JSON gateway. One client inserts a row every
50 ms, wherever the primary is. A primary that cannot reach etcd in time is demoted by Patroni: no SQL writes until there is one again.`

// patroni are its settings, and what is done to etcd.
type patroni struct {
	name             string
	loop, retry, ttl int // loop_wait, retry_timeout, ttl in seconds
	strike           func(ctx context.Context, c *cluster, n int) (took time.Duration)
}

func patroniRows() []row {
	var all []row
	for _, p := range []patroni{
		{
			name: "Patroni with its defaults, etcd restarted on each host in turn", loop: 10, retry: 10, ttl: 30,
			strike: func(ctx context.Context, c *cluster, n int) time.Duration {
				h := c.Hosts[n%len(c.Hosts)]
				begin := time.Now()
				steps.Of(h.Run(ctx, "systemctl", "restart", c.unit))
				return time.Since(begin)
			},
		},
		{
			name: "Patroni with loop_wait 1, retry_timeout 3 and ttl 20, etcd's leader killed", loop: 1, retry: 3, ttl: 20,
			strike: func(ctx context.Context, c *cluster, _ int) time.Duration {
				leader, _ := c.leader(ctx)
				begin := time.Now()
				steps.Must(c.process(leader).Signal(unix.SIGKILL))
				c.answers(ctx, leader)
				return time.Since(begin)
			},
		},
	} {
		all = append(all, row{
			name: p.name, setup: setup{timing: far}, packages: patroniPackages, series: p.series, each: 6, most: 2,
			figures: []figure{
				{name: "demotions of the primary", unit: times, goal: goal{none: true}},
				{name: "longest time without an SQL write", unit: seconds},
				{name: "until that etcd serves again", unit: seconds},
			},
		})
	}
	return all
}

func (p patroni) series(ctx context.Context, c *cluster, n int) (values [][]float64) {
	c.start(ctx)
	c.settle(ctx)
	p.start(ctx, c)
	writer := c.Hosts[0]
	steps.Must(writer.Write(ctx, "/run/writer.py", writerOf(c), 0o644))
	steps.Of(writer.Run(ctx, "systemd-run", "--unit=writer", "--property=Restart=always", "python3", "/run/writer.py"))
	c.later(func(ctx context.Context) error {
		_, err := writer.Run(ctx, "systemctl", "stop", "writer")
		return err
	})
	for i := range n {
		p.settled(ctx, c)
		// Another moment of Patroni's loop each time.
		pass(ctx, time.Duration(p.loop)*time.Second+rand.N(time.Duration(p.loop)*time.Second))
		before, struck := c.demotions(ctx), lab.Now()
		took := p.strike(ctx, c, i)
		// Patroni gives up after its retry timeout, and looks once in a loop.
		pass(ctx, time.Duration(p.loop+p.retry)*time.Second)
		p.settled(ctx, c)
		pass(ctx, time.Second)
		gap := c.longestWithoutWrite(ctx, writer, struck)
		demoted := c.demotions(ctx) - before
		fmt.Fprintf(os.Stderr, "%s: %v, %d demotions, %v without a write\n", c.name, took.Round(time.Millisecond), demoted, gap.Round(time.Millisecond))
		values = append(values, []float64{float64(demoted), gap.Seconds(), took.Seconds()})
	}
	return values
}

// start brings up PostgreSQL under Patroni on all hosts.
func (p patroni) start(ctx context.Context, c *cluster) {
	var etcds []string
	for _, h := range c.Hosts {
		etcds = append(etcds, h.IP+":2379")
	}
	network := c.Hosts[0].IP[:strings.LastIndexByte(c.Hosts[0].IP, '.')] + ".0/24"
	stop := `systemctl stop patroni writer 2>/dev/null || true; systemctl disable --now postgresql 2>/dev/null || true
		rm -rf /var/lib/postgresql/bench /run/writes; systemctl reset-failed`
	c.each(func(h *lab.Host) {
		steps.Of(h.Sh(ctx, stop))
		steps.Must(h.Write(ctx, "/etc/patroni/config.yml", fmt.Sprintf(`scope: bench
name: %[1]s
restapi: {listen: "%[2]s:8008", connect_address: "%[2]s:8008"}
etcd3: {hosts: [%[3]s]}
bootstrap:
  dcs:
    loop_wait: %[4]d
    retry_timeout: %[5]d
    ttl: %[6]d
    postgresql: {use_pg_rewind: true, parameters: {max_connections: 30, shared_buffers: 32MB}}
  initdb: [{encoding: UTF8}, data-checksums]
  pg_hba:
  - local all all trust
  - host all all %[7]s trust
  - host replication all %[7]s trust
postgresql:
  listen: "%[2]s:5432"
  connect_address: "%[2]s:5432"
  data_dir: /var/lib/postgresql/bench
  bin_dir: %[8]s
  authentication:
    superuser: {username: postgres, password: bench}
    replication: {username: replicator, password: bench}
    rewind: {username: postgres, password: bench}
`, h.Name, h.IP, strings.Join(etcds, ", "), p.loop, p.retry, p.ttl, network,
			strings.TrimSpace(steps.Of(h.Sh(ctx, "echo /usr/lib/postgresql/*/bin")))), 0o644))
		// Debian's unit is for the file of one cluster that its tools have made.
		steps.Must(h.Write(ctx, "/etc/systemd/system/patroni.service", `[Unit]
After=network.target
[Service]
User=postgres
ExecStart=/usr/bin/patroni /etc/patroni/config.yml
KillMode=process
TimeoutSec=30
Restart=always
`, 0o644))
		steps.Of(h.Sh(ctx, "systemctl daemon-reload"))
	})
	c.later(func(ctx context.Context) error {
		return c.Each(func(h *lab.Host) error {
			_, err := h.Sh(ctx, stop)
			return err
		})
	})
	// The first has the database before the others copy it.
	for i, h := range c.Hosts {
		steps.Of(h.Run(ctx, "systemctl", "start", "patroni"))
		if i == 0 {
			c.untilSQL(ctx, 1)
		}
	}
	c.untilSQL(ctx, len(c.Hosts))
}

// settled waits until all serve, as they did.
func (p patroni) settled(ctx context.Context, c *cluster) {
	c.settle(ctx)
	c.untilSQL(ctx, len(c.Hosts))
}

// untilSQL waits for one primary and its replicas.
func (c *cluster) untilSQL(ctx context.Context, running int) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cli := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return c.Dial(ctx, addr) }, DisableKeepAlives: true,
	}}
	steps.Must(poll.Until(ctx, 200*time.Millisecond, func() error {
		primaries, running, said := 0, running, ""
		for _, h := range c.Hosts {
			s, err := patroniState(ctx, cli, h)
			said += fmt.Sprintf(" %s: %+v %v;", h.Name, s, err)
			if err != nil || s.State != "running" {
				continue
			}
			running--
			if s.Role == "master" || s.Role == "primary" {
				primaries++
			}
		}
		if primaries != 1 || running > 0 {
			return fmt.Errorf("waited %v for PostgreSQL:%s", patience, said)
		}
		return nil
	}))
}

// state is what Patroni says of its PostgreSQL.
type state struct{ State, Role string }

func patroniState(ctx context.Context, cli *http.Client, h *lab.Host) (s state, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.IP+":8008/patroni", nil)
	if err != nil {
		return s, err
	}
	r, err := cli.Do(req)
	if err != nil {
		return s, err
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

// demotions is how often Patroni has demoted a primary so far.
func (c *cluster) demotions(ctx context.Context) (n int) {
	for _, h := range c.Hosts {
		out := steps.Of(h.Sh(ctx, "journalctl --no-pager --output=cat --unit=patroni | grep -cF 'Demoting self (' || true"))
		n += steps.Of(strconv.Atoi(strings.TrimSpace(out)))
	}
	return n
}

// writerOf is a program that inserts a row every 50 ms, and says when it has, on
// the clock that all hosts and this machine share.
func writerOf(c *cluster) string {
	var ips []string
	for _, h := range c.Hosts {
		ips = append(ips, h.IP)
	}
	return `import psycopg2, time
log = open("/run/writes", "a", buffering=1)
db = None
while True:
    try:
        if db is None:
            db = psycopg2.connect("host=` + strings.Join(ips, ",") + ` user=postgres dbname=postgres connect_timeout=2 "
                                  "target_session_attrs=read-write options='-c statement_timeout=1000'")
            db.autocommit = True
            sql = db.cursor()
            sql.execute("create table if not exists writes (at timestamptz default now())")
        sql.execute("insert into writes default values")
        log.write("%.6f\n" % time.clock_gettime(time.CLOCK_MONOTONIC))
    except psycopg2.Error:
        if db is not None:
            db.close()
        db = None
    time.sleep(0.05)
`
}

// longestWithoutWrite is the longest time between two writes, of those that
// ended after the given moment.
func (c *cluster) longestWithoutWrite(ctx context.Context, writer *lab.Host, since time.Duration) (longest time.Duration) {
	last := time.Duration(0)
	for line := range strings.Lines(steps.Of(writer.Run(ctx, "cat", "/run/writes"))) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		s := steps.Of(strconv.ParseFloat(strings.TrimSpace(line), 64))
		at := time.Duration(s * float64(time.Second))
		if at > since && last > 0 {
			longest = max(longest, at-last)
		}
		last = at
	}
	if last < since {
		steps.Fail("no SQL write since")
	}
	return max(longest, lab.Now()-last)
}
