package config

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	humanize "github.com/dustin/go-humanize"
	"github.com/kelseyhightower/envconfig"

	"github.com/etcd-node/etcd-node/pkg/reserve"
)

// ours is how the names of our settings begin. What etcd may one day call its
// own does not begin so.
const ours = "ETCD_NODE_"

// own is the table of the settings that are ours: a row is a field, its tags
// are envconfig's, and what a value may be is its type. ETCD_1, ETCD_IP_1 …
// are an open list and stand in [Loaded.pairs].
type own struct {
	// Interface on which to look for the address; "" means eth0, then the
	// interface of the default route.
	Interface label `envconfig:"ETCD_NODE_INTERFACE"`
	// AddressWait is how long an address may take to appear.
	AddressWait wait `envconfig:"ETCD_NODE_ADDRESS_WAIT" default:"60s"`
	// StartTimeout is how long joining may take; 0 = for ever.
	StartTimeout wait `envconfig:"ETCD_NODE_START_TIMEOUT" default:"0s"`
	// Ready says when READY=1 is sent: "quorum", or "all" members connected.
	Ready readiness `envconfig:"ETCD_NODE_READY" default:"quorum"`
	// Failover says whether a leader whose process died is replaced at once.
	Failover toggle `envconfig:"ETCD_NODE_FAILOVER" default:"on"`
	// FastStart says whether a start without a leader asks for an election at once.
	FastStart toggle `envconfig:"ETCD_NODE_FAST_START" default:"on"`
	// HangLimit is for how long the member may give no sign of life.
	HangLimit hangLimit `envconfig:"ETCD_NODE_HANG_LIMIT" default:"10s"`
	// DiskReserve is the size of the disk reserve; 0 = none.
	DiskReserve reserved `envconfig:"ETCD_NODE_DISK_RESERVE" default:"192MiB"`
	// EnvFile is the env file that commands read.
	EnvFile string `envconfig:"ETCD_NODE_ENV_FILE" default:"/etc/default/etcd"`
	// Peer is this node's own address.
	Peer peer `envconfig:"ETCD_PEER"`
	// Token is the snippet's name for ETCD_INITIAL_CLUSTER_TOKEN.
	Token label `envconfig:"ETCD_TOKEN"`
}

func (o own) node() Node {
	return Node{
		Interface:    string(o.Interface),
		AddressWait:  time.Duration(o.AddressWait),
		StartTimeout: time.Duration(o.StartTimeout),
		ReadyAll:     o.Ready == "all",
		Failover:     bool(o.Failover),
		FastStart:    bool(o.FastStart),
		HangLimit:    time.Duration(o.HangLimit),
		DiskReserve:  int64(o.DiskReserve),
		EnvFile:      o.EnvFile,
	}
}

// ownNames lists the variables of the table.
func ownNames() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[own]()) {
		names = append(names, f.Tag.Get("envconfig"))
	}
	return names
}

// loadOwn fills the table from vars, remembers which rows were set, and
// refuses ETCD_NODE_* that is not in it.
func (l *Loaded) loadOwn(vars map[string]Setting) (o own) {
	rows := reflect.ValueOf(&o).Elem()
	for i := range rows.NumField() {
		tag := rows.Type().Field(i).Tag
		name, value := tag.Get("envconfig"), tag.Get("default")
		s, set := vars[name]
		if set {
			value = s.Value
			if strings.HasPrefix(name, ours) { // the snippet's show as the origin of etcd's
				l.own = append(l.own, s)
			}
		}
		if err := decode(value, rows.Field(i)); err != nil {
			l.wrong(s.Source, err)
		}
	}
	known := slices.DeleteFunc(ownNames(), func(name string) bool { return !strings.HasPrefix(name, ours) })
	for _, name := range sorted(vars) {
		if strings.HasPrefix(name, ours) && !slices.Contains(known, name) {
			l.problem(vars[name].Source, "no such setting", "there are "+join(known))
		}
	}
	return o
}

// decode has envconfig turn value into field. envconfig reads nothing but the
// process environment, and some of our variables stand in the env file, which
// Load must not put there. So the value goes in as the default of a struct of
// one field, under a prefix that keeps the process environment out: no
// variable has a "=" in its name.
func decode(value string, field reflect.Value) error {
	row := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Value",
		Type: field.Type(),
		Tag:  reflect.StructTag("default:" + strconv.Quote(value)),
	}}))
	err := envconfig.Process("=", row.Interface())
	var parse *envconfig.ParseError
	if errors.As(err, &parse) {
		return parse.Err
	}
	if err == nil {
		field.Set(row.Elem().Field(0))
	}
	return err
}

// wait is a duration that is not negative.
type wait time.Duration

// Decode implements envconfig.Decoder.
func (w *wait) Decode(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return &Problem{What: strconv.Quote(s) + " is not a length of time", Hint: "give it with its unit, such as 90s or 5m"}
	}
	*w = wait(d)
	return nil
}

// hangLimit is a duration of some of the supervisor's ticks.
type hangLimit time.Duration

// minHangLimit is what a member on a starved machine may take for a beat that
// is due every second.
const minHangLimit = 3 * time.Second

// Decode implements envconfig.Decoder.
func (h *hangLimit) Decode(s string) error {
	if err := (*wait)(h).Decode(s); err != nil {
		return err
	}
	if time.Duration(*h) < minHangLimit {
		return &Problem{What: s + " is too short: a loaded machine would have its member killed", Hint: "give at least " + minHangLimit.String()}
	}
	return nil
}

// reserved is a size that a disk reserve can have.
type reserved int64

// Decode implements envconfig.Decoder.
func (r *reserved) Decode(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return &Problem{What: strconv.Quote(s) + " is not a size", Hint: "give it with its unit, such as 192MiB, or 0 for none"}
	}
	if err := reserve.Validate(int64(n)); err != nil {
		return &Problem{What: err.Error()}
	}
	*r = reserved(n)
	return nil
}

// readiness is "quorum" or "all".
type readiness string

// Decode implements envconfig.Decoder.
func (r *readiness) Decode(s string) error {
	if s != "quorum" && s != "all" {
		return &Problem{What: strconv.Quote(s) + " is neither quorum nor all"}
	}
	*r = readiness(s)
	return nil
}

// toggle is "on" or "off".
type toggle bool

// Decode implements envconfig.Decoder.
func (t *toggle) Decode(s string) error {
	if s != "on" && s != "off" {
		return &Problem{What: strconv.Quote(s) + " is neither on nor off"}
	}
	*t = s == "on"
	return nil
}

// label is a string without shell syntax.
type label string

// Decode implements envconfig.Decoder.
func (v *label) Decode(s string) error {
	if shellSyntax.MatchString(s) {
		return shellIn(s, "write the value itself")
	}
	*v = label(s)
	return nil
}

// peer is ETCD_PEER: an address of this machine, or the snippet's command that
// asks for one.
type peer struct {
	addr   netip.Addr // zero: find it
	detect bool       // the command was given
	iface  string     // the interface that the command names
}

// Decode implements envconfig.Decoder.
func (p *peer) Decode(s string) error {
	if iface, ok := asksAddress(s); ok {
		*p = peer{detect: true, iface: iface}
		return nil
	}
	if shellSyntax.MatchString(s) {
		return shellIn(s, "remove the line: the address is found without it, and ETCD_NODE_INTERFACE names the interface to look on")
	}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return &Problem{What: strconv.Quote(s) + " is a prefix, not an address", Hint: "write " + prefix.Addr().String()}
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast() {
		return &Problem{What: strconv.Quote(s) + " is not an IP address under which the other members can reach this one",
			Hint: "remove the line: the address is found without it"}
	}
	p.addr = addr.Unmap()
	return nil
}
