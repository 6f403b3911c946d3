package config

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// ours is how the names of our settings begin. What etcd may one day call its
// own does not begin so.
const ours = "ETCD_NODE_"

// own holds the values of the rows of the table [rows].
type own struct {
	Interface    label
	AddressWait  wait
	StartTimeout wait
	Ready        readiness
	Failover     toggle
	FastStart    toggle
	HangLimit    hangLimit
	DiskReserve  reserved
	EnvFile      string
	Peer         peer
	Token        label
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

// ownNames lists the variables of the table that begin with prefix.
func ownNames(prefix string) (names []string) {
	for _, r := range rows {
		if strings.HasPrefix(r.name, prefix) {
			names = append(names, r.name)
		}
	}
	return names
}

// loadOwn fills the table from vars, remembers which rows were set, and
// refuses ETCD_NODE_* that is not in it.
func (l *Loaded) loadOwn(vars map[string]Setting) (o own) {
	known := make(map[string]bool)
	for _, r := range rows {
		known[r.name] = true
		value := r.preset
		s, set := vars[r.name]
		if set {
			value = s.Value
			if strings.HasPrefix(r.name, ours) { // the snippet's show as the origin of etcd's
				l.own = append(l.own, s)
			}
		}
		if err := decode(value, reflect.ValueOf(r.into(&o)).Elem()); err != nil {
			l.wrong(s.Source, err)
		}
	}
	for _, name := range sorted(vars) {
		if !strings.HasPrefix(name, ours) || known[name] {
			continue
		}
		names := ownNames(ours)
		hint := "there are " + join(names)
		if n := Nearest(name, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		l.problem(vars[name].Source, "no such setting", hint)
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
