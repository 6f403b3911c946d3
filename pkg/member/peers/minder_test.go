package peers

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"testing"
)

// Only peers that are silent are knocked at, and not after the server stops.
func TestKnock(t *testing.T) {
	a, b, c := Peer{"a", []string{"http://127.0.0.1:1"}}, Peer{"b", []string{"http://127.0.0.1:2"}}, Peer{"c", []string{"http://127.0.0.1:3"}}
	all := []Peer{a, b, c}
	found := new(Findings)
	for range 2 {
		found.put(all, []Finding{{}, {OK: true}, {}})
	}
	var knocked []string
	stopped := false
	m := Minder{Peers: func() []Peer { return all }, Found: found, Knock: func(_ context.Context, p Peer) error {
		if stopped {
			return errors.New("the server stops")
		}
		knocked = append(knocked, p.ID)
		return nil
	}}
	m.knock(t.Context())
	if want := slices.Concat(slices.Repeat([]string{"a"}, knocks), slices.Repeat([]string{"c"}, knocks)); !slices.Equal(knocked, want) {
		t.Errorf("knocked at %v, want %v", knocked, want)
	}
	knocked, stopped = nil, true
	if m.knock(t.Context()); knocked != nil {
		t.Errorf("knocked at %v although the server stops", knocked)
	}
}

func TestMinderPorts(t *testing.T) {
	m := Minder{
		Listen: []url.URL{{Scheme: "http", Host: "127.0.0.1:2380"}, {Scheme: "unix", Host: "localhost"}},
		Peers: func() []Peer {
			return []Peer{{URLs: []string{"https://b.example", "http://b.example:2382"}}, {URLs: []string{"http://c.example:port", "unix://c"}}}
		},
	}
	if got, want := m.Ports(), (Ports{Listen: []uint64{2380}, Peers: []uint64{443, 2382}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
