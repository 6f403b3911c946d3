package failure

import (
	"cmp"
	"slices"
	"strings"
)

// Entry is one row of the catalogue.
type Entry struct {
	ID    string // stable: scripts and monitoring may rely on it
	Class Class
	Exit  int // exit code where the daemon ends because of it; ExitFailure unless set
	// Lives says that this is a state of a running member: it is shown, and
	// the member is never restarted because of it.
	Lives bool

	Cause string // one sentence, lower case, no full stop
	// Texts are how etcd, Go or the kernel put it: any of these, "…" between
	// parts that must follow one another. None where only a signature tells.
	Texts []string
	Sign  string // the signature: what is seen where no text tells

	Means string // what it means, for people
	Acts  string // what etcd-node does by itself
	Next  []Step // what to do
	Never string // what makes it worse; "" where nothing tempts

	errs []error // what [FromError] knows by errors.Is
}

// Step is one thing to do.
type Step struct {
	Say string   // where, in which case, or to what end; or all there is to do
	Run []string // commands, with {placeholders}; see [Failure.Fill]
}

// String is the step on one line.
func (s Step) String() string {
	run := strings.Join(s.Run, "; ")
	if s.Say == "" || run == "" {
		return s.Say + run
	}
	return s.Say + ": " + run
}

// catalogue is the table. The first row with a text that matches wins, so the
// special ones stand before the general ones: a name that does not resolve
// before the configuration, as which etcd reports it; the disk before damaged
// data, because a full disk makes etcd say both.
var catalogue = completed(slices.Concat(
	entriesIdentity, entriesConfiguration, entriesDisk, entriesAccess,
	entriesVersion, entriesData, entriesNetwork, entriesCluster, entriesProcess,
))

// completed adds what would be the same in every row. Steps stand in several
// rows, so they are copied.
func completed(entries []Entry) []Entry {
	for i := range entries {
		e := &entries[i]
		e.Exit = cmp.Or(e.Exit, ExitFailure)
		e.Next = cloneSteps(e.Next)
		for _, s := range e.Next {
			for j, c := range s.Run {
				s.Run[j] = complete(c)
			}
		}
	}
	return entries
}

func cloneSteps(steps []Step) []Step {
	steps = slices.Clone(steps)
	for i, s := range steps {
		steps[i].Run = slices.Clone(s.Run)
	}
	return steps
}

// ends reports whether the daemon ends because of the entry, also under systemd.
func (e Entry) ends() bool { return e.Exit != ExitFailure }

// All returns the catalogue in its order. The caller may do with it what it
// likes.
func All() []Entry {
	all := slices.Clone(catalogue)
	for i, e := range all {
		all[i].Texts, all[i].Next = slices.Clone(e.Texts), cloneSteps(e.Next)
	}
	return all
}

// byID finds an entry.
func byID(id string) (Entry, bool) {
	i := slices.IndexFunc(catalogue, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return Entry{}, false
	}
	return catalogue[i], true
}
