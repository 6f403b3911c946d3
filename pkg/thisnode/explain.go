package thisnode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/status"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

// Explain explains what is wrong now and how the member last ended: what the daemon
// shows, and else what the recorder kept.
func (d *Daemon) Explain(ctx context.Context, out io.Writer) error {
	st, _, noDaemon := d.Ask(ctx)
	if errors.Is(noDaemon, fs.ErrPermission) {
		return noDaemon // the records are as much forbidden
	}
	if no, ok := errors.AsType[*NoAnswer](noDaemon); ok && no.Other {
		return noDaemon // the records are the other one's, too
	}
	x := explanation{out, d.Values(ctx, st), map[string]bool{}}
	end := st.LastEnd
	if noDaemon == nil {
		x.now(st, d.begun(st))
	} else {
		dir := d.Records()
		if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrPermission) {
			return d.Forbidden(err)
		}
		past := recorder.Look(dir)
		if past.Last.Seq == 0 {
			return noDaemon
		}
		d.writePast(out, past, d.ofUnit(dir))
		if end = past.LastEnd(); end == nil && past.Told() {
			return nil
		}
	}
	switch {
	case end == nil:
		if len(x.said) == 0 {
			fmt.Fprintln(out, "no end of the member is on record")
		}
	case !end.Over.IsZero():
		more := d.node.ForUnit("etcd-node explain " + shown.Quoted(end.ID))
		fmt.Fprintf(out, "last end: %s, %s\n  %s; %s tells more\n", end.Ago(time.Now()), shown.Hanging(end.Cause), end.Since(), more)
	default:
		// The daemon knew more then than can be found out now.
		x.say(fmt.Sprintf("last end: %s, %s", end.Ago(time.Now()), end.Cause), end.ID, end.Values)
	}
	return nil
}

// writePast says what a daemon that does not answer did last. ofUnit: it is the
// unit's.
func (d *Daemon) writePast(out io.Writer, past recorder.Past, ofUnit bool) {
	ask, start := " (systemctl status "+d.node.Service()+")", "systemctl start "+d.node.Service()
	if !ofUnit {
		ask, start = "", "the command that started it"
	}
	switch end := past.LastEnd(); {
	case past.Told():
		fmt.Fprintf(out, "now: stopped as told at %s; that is no fault, and %s starts it again\n", past.Last.Time.Local().Format(time.DateTime), start)
		if !ofUnit { // a start that was refused is recorded in a unit's own directory only
			fmt.Fprintln(out, "  if a start has failed since then, its log says why (under systemd: journalctl -u etcd)")
		}
	case past.State == "" && past.Last.Kind == recorder.Stop && end != nil:
		fmt.Fprintf(out, "now: the daemon does not run: its last start was refused at %s\n", end.Time.Local().Format(time.DateTime))
	default:
		fmt.Fprintf(out, "now: no daemon answers%s; the last record:\n  %s", ask, past.Last.Text())
	}
}

// explanation prints entries of the catalogue, each one once.
type explanation struct {
	out    io.Writer
	values map[string]string
	said   map[string]bool
}

// say explains an entry, with values that are known of it beside the node's own.
func (x explanation) say(head, id string, values map[string]string) {
	text, ok := failure.Explain(id, with(x.values, values)) // !ok: recorded by another version
	if again := x.said[id]; !ok || again || head != id {    // the text begins with the ID itself
		fmt.Fprintln(x.out, shown.Hanging(head))
		if ok && !again {
			fmt.Fprintln(x.out)
		}
	}
	if ok && !x.said[id] {
		fmt.Fprint(x.out, text)
	}
	x.said[id] = true
}

// with are values, and more, which count more where they are known.
func with(values, more map[string]string) map[string]string {
	all := maps.Clone(values)
	for k, v := range more {
		if v != "" {
			all[k] = v
		}
	}
	return all
}

// now explains a status. begun: the cluster has had a leader.
func (x explanation) now(st status.Status, begun bool) {
	fmt.Fprintf(x.out, "now: %s\n", st.Line())
	for _, c := range st.AllConditions() {
		fmt.Fprintln(x.out)
		x.say(cmp.Or(c.Text, c.ID), c.ID, c.Values())
	}
	if st.State == status.Serving && (st.View.Leader == "" || st.View.NoQuorum) && !x.said[failure.IDNoQuorum] && !x.said[failure.IDNeverStarted] && !x.said[failure.IDOtherURLs] {
		fmt.Fprintln(x.out)
		head := "there is no leader"
		if st.View.Leader != "" {
			head = "this member leads, and hears no quorum"
		}
		x.say(head, failure.IDNoQuorum, nil)
	}
	if st.LacksQuorum() && len(x.said) == 0 { // the member says so after a while
		id := failure.IDNoQuorumYet
		if begun {
			id = failure.IDNoQuorum
		}
		fmt.Fprintln(x.out)
		x.say(id, id, nil)
	}
	fmt.Fprintln(x.out)
	switch well := st.State == status.Serving && len(x.said) == 0; {
	case well && st.View.AllConnected():
		fmt.Fprintln(x.out, "nothing is wrong that etcd-node knows of")
	case well:
		fmt.Fprintln(x.out, "this member is well; what is wrong with a missing one is explained on its node: etcd-node explain")
	}
}

// begun reports whether this node's cluster has had a leader: then its member has
// stored something, and is remembered.
func (d *Daemon) begun(st status.Status) bool {
	pin, ok, err := d.node.Pins().Load()
	return st.View.Stored || (ok || err != nil) && (d.dataDir == "" || same(d.dataDir, pin.DataDir))
}

// ValuesOf are the values for an entry of the catalogue: those of the node, and
// those that its daemon has of this entry now, or else of the last end.
func (d *Daemon) ValuesOf(ctx context.Context, st status.Status, id string) map[string]string {
	values := d.Values(ctx, st)
	if e := st.LastEnd; e != nil && e.ID == id && e.Over.IsZero() {
		values = with(values, e.Values)
	}
	for _, c := range st.AllConditions() {
		if c.ID == id {
			return with(values, c.Values())
		}
	}
	return values
}

// Values are this node's own, as far as they can be told now: a daemon that runs
// knows them, and its status is st; else there is what the pin says and what can
// be derived.
func (d *Daemon) Values(ctx context.Context, st status.Status) map[string]string {
	v := map[string]string{}
	take := func(more map[string]string) {
		for k, x := range more {
			v[k] = cmp.Or(v[k], x)
		}
	}
	take(st.Values)
	if d.node.installed && d.dataDir == "" {
		take(d.node.file.Values())
	}
	take(map[string]string{"member-id": st.View.MemberID, "cluster-id": st.View.ClusterID})
	if st.View.Auth {
		v["auth"] = "true"
	}
	// The settings may stand on the unit's command line, which is not ours to
	// see: then the pin knows better than what can be derived.
	take(map[string]string{"data-dir": d.dataDir})
	if pin, ok, _ := d.node.Pins().Load(); ok && (d.dataDir == "" || same(d.dataDir, pin.DataDir)) {
		take(map[string]string{"member-id": pin.MemberID, "cluster-id": pin.ClusterID, "name": pin.Name, "data-dir": pin.DataDir})
	}
	in := d.node.Written()
	if d.dataDir != "" {
		in = d.node.byHand()
		in.Environ = append(slices.Clip(in.Environ), "ETCD_DATA_DIR="+d.dataDir)
	}
	if r := resolve(ctx, in); r != nil {
		take(config.Values(r))
	}
	return v
}
