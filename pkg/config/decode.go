package config

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	humanize "github.com/dustin/go-humanize"

	"github.com/etcd-node/etcd-node/pkg/config/settings"
)

// The types of etcd-node's own settings are envconfig's Decoders: each says
// what is wrong with a value; where it does not say what to write instead,
// [Variable.Takes] does. [Loaded.loadOwn] calls them itself, because envconfig's
// Process sees the environment and no env file, and stops at the first error.

// wait is a duration that is not negative.
type wait time.Duration

// Decode implements envconfig.Decoder.
func (w *wait) Decode(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		what := strconv.Quote(s) + " is not a length of time"
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			what += ": it has no unit"
		}
		return &settings.Problem{What: what}
	}
	if d < 0 {
		return &settings.Problem{What: strconv.Quote(s) + " must not be negative"}
	}
	*w = wait(d)
	return nil
}

// patience is a duration, or forever, which is negative.
type patience time.Duration

// Decode implements envconfig.Decoder.
func (p *patience) Decode(s string) error {
	if s == "forever" {
		*p = -1
		return nil
	}
	return (*wait)(p).Decode(s)
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
		return &settings.Problem{What: s + " is too short: a loaded machine would have its member killed", Hint: "give at least " + minHangLimit.String()}
	}
	return nil
}

// reserve is the size of a disk reserve.
type reserve int64

// MinReserve is the smallest reserve that helps, in bytes: one WAL segment of
// etcd's, 64,000,000 bytes, and some pages for the database. With less a start
// on a full disk fails as it does without.
const MinReserve = 80 << 20

// Decode implements envconfig.Decoder.
func (r *reserve) Decode(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return &settings.Problem{What: strconv.Quote(s) + " is not a size", Hint: "give it with its unit, such as 192MiB, or 0 for none"}
	}
	if n != 0 && n < MinReserve {
		return &settings.Problem{What: "a reserve of " + humanize.IBytes(n) + " cannot hold a WAL segment",
			Hint: "give at least " + humanize.IBytes(MinReserve) + ", or 0 for none"}
	}
	*r = reserve(n)
	return nil
}

// allReady is "quorum" or "all".
type allReady bool

// Decode implements envconfig.Decoder.
func (a *allReady) Decode(s string) error {
	if s != "quorum" && s != "all" {
		return &settings.Problem{What: strconv.Quote(s) + " is neither quorum nor all"}
	}
	*a = s == "all"
	return nil
}

// toggle is "on" or "off", in any case: what is meant is plain.
type toggle bool

// Decode implements envconfig.Decoder.
func (t *toggle) Decode(s string) error {
	on := strings.EqualFold(s, "on")
	if !on && !strings.EqualFold(s, "off") {
		return &settings.Problem{What: strconv.Quote(s) + " is neither on nor off"}
	}
	*t = toggle(on)
	return nil
}

// path is the path of a file.
type path string

// Decode implements envconfig.Decoder.
func (p *path) Decode(s string) error {
	*p = path(s)
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
		return &settings.Problem{What: strconv.Quote(s) + " is a prefix, not an address", Hint: "write " + prefix.Addr().String()}
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast() {
		return &settings.Problem{What: strconv.Quote(s) + " is not an IP address under which the other members can reach this one",
			Hint: "remove the line: the address is found without it"}
	}
	p.addr = addr.Unmap()
	return nil
}
