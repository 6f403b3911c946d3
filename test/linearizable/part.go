package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/etcd-node/etcd-node/test/history"
)

// part is what one run has come to, or several together.
type part struct {
	Date       time.Time      `json:"date"`    // when it began
	Version    string         `json:"version"` // of etcd-node
	Asked      int            `json:"asked"`   // losses
	Losses     map[string]int `json:"losses"`  // those that there were, by their kinds
	Seconds    float64        `json:"seconds"`
	Terms      uint64         `json:"terms"`
	Operations int            `json:"operations"`
	Groups     int            `json:"groups"`
	Unknown    int            `json:"unknown"`
	Lost       int            `json:"lost"`
	Repeated   int            `json:"repeated"`
	Illegal    int            `json:"illegal"`
	Undecided  int            `json:"undecided"`
	Error      string         `json:"error,omitempty"`
}

func (p part) total() (n int) {
	for _, k := range p.Losses {
		n += k
	}
	return n
}

// terms are those that a loss cost on average.
func (p part) terms() float64 { return float64(p.Terms) / float64(max(1, p.total())) }

func (p *part) count(r history.Result) {
	p.Operations, p.Groups, p.Unknown, p.Lost, p.Repeated = r.Operations, r.Groups, r.Unknown, r.Lost, r.Repeated
	p.Illegal, p.Undecided = len(r.Illegal), r.Undecided
}

func (p part) String() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(p.Losses)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", p.Losses[kind], kind))
	}
	return fmt.Sprintf("%d losses (%s) in %s; %.2f terms a loss; %d operations on %d groups of keys, %d of unknown outcome, %d of those lost with their leader, %d repeated; %d groups not linearizable, %d undecided",
		p.total(), strings.Join(kinds, ", "), time.Duration(p.Seconds*float64(time.Second)).Round(time.Second), p.terms(),
		p.Operations, p.Groups, p.Unknown, p.Lost, p.Repeated, p.Illegal, p.Undecided)
}

// verdict is what is wrong with the numbers. Nothing that was seen proves nothing.
func (p part) verdict(interrupted bool) error {
	var wrong []error
	if p.Illegal > 0 {
		wrong = append(wrong, fmt.Errorf("%d groups of keys have a history that no order of events explains", p.Illegal))
	}
	if p.Undecided > 0 {
		wrong = append(wrong, fmt.Errorf("of %d groups of keys it is not known whether they are linearizable", p.Undecided))
	}
	if p.Operations == 0 {
		wrong = append(wrong, errors.New("no operation was recorded"))
	}
	if p.total() < p.Asked && !interrupted {
		wrong = append(wrong, fmt.Errorf("only %d losses of %d", p.total(), p.Asked))
	}
	if p.Asked == 0 {
		wrong = append(wrong, errors.New("no loss was asked for"))
	}
	if p.terms() > maxTerms {
		wrong = append(wrong, fmt.Errorf("a loss costs %.2f terms, more than %.1f", p.terms(), maxTerms))
	}
	return errors.Join(wrong...)
}

// add appends the part to a file.
func (p part) add(path string) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}

// sum adds up the parts in a file. It is an error if one of them failed.
func sum(path string) (all part, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, fmt.Errorf("%s has no parts", path)
	} else if err != nil {
		return all, err
	}
	all.Losses = map[string]int{}
	var wrong []error
	for n, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var p part
		if err := json.Unmarshal(line, &p); err != nil {
			return all, fmt.Errorf("%s:%d: %w", path, n+1, err)
		}
		if p.Error != "" {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s", path, n+1, p.Error))
		}
		for kind, k := range p.Losses {
			all.Losses[kind] += k
		}
		all.Seconds += p.Seconds
		all.Terms += p.Terms
		all.Operations += p.Operations
		all.Groups += p.Groups
		all.Unknown += p.Unknown
		all.Lost += p.Lost
		all.Repeated += p.Repeated
		all.Illegal += p.Illegal
		all.Undecided += p.Undecided
	}
	return all, errors.Join(wrong...)
}

// versionIn is that of etcd-node in what it says with --version.
func versionIn(said string) string {
	_, after, _ := strings.Cut(said, "etcd-node Version: ")
	v, _, _ := strings.Cut(after, "\n")
	return v
}
