package failure

import (
	"cmp"
	"maps"
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
	// Waits says that under systemd the daemon does not end because of it, but
	// waits until it is mended.
	Waits bool

	// Asks says that under systemd a start waits because of it, and asks the other
	// members again and again.
	Asks bool

	Cause string // one sentence, lower case, no full stop
	// Texts are the words of etcd, Go or the kernel, any one of which tells; "…"
	// stands between parts that must follow one another. Empty if only Sign tells.
	Texts []string
	// Wire are those of Texts that one message causes too if it was damaged on
	// its way: they are believed at the second time.
	Wire []string
	Sign string // how etcd-node recognises it if no text tells

	Means string // the meaning, for people
	Acts  string // the actions of etcd-node itself
	Next  []Step // the actions for the operator
	// Cases are those of Next that are of use where it is known which case it is:
	// the node's value "case".
	Cases map[string][]Step
	Never string // the tempting action that makes it worse; "" if there is none

	errs []error // [FromError] recognises these by errors.Is
}

// Step is one thing to do.
type Step struct {
	Say string   // where, in which case, or for which purpose; the whole step if there is no command
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
// special rows stand before the general ones: a name that does not resolve before
// the configuration, because etcd reports the one as the other; the disk before
// damaged data, because etcd reports both when a disk is full.
var catalogue = completed(slices.Concat(
	entriesIdentity, entriesAdmission, entriesConfiguration, entriesTLS, entriesDisk, entriesAccess,
	entriesVersion, entriesData, entriesNetwork, entriesCluster, entriesPlace, entriesList, entriesProcess,
	entriesDoubt, entriesForce,
))

// completed fills in the parts that would be the same in every row. It copies the
// steps, because several rows share them.
func completed(entries []Entry) []Entry {
	for i := range entries {
		e := &entries[i]
		e.Exit = cmp.Or(e.Exit, ExitFailure)
		e.Next, e.Cases = cloneSteps(e.Next), cloneCases(e.Cases)
		completeSteps(e.Next)
		for _, steps := range e.Cases {
			completeSteps(steps)
		}
		e.Means, e.Acts, e.Never = inside(e.Means), inside(e.Acts), inside(e.Never)
	}
	return entries
}

func completeSteps(steps []Step) {
	for i, s := range steps {
		steps[i].Say = inside(s.Say)
		for j, c := range s.Run {
			s.Run[j] = inside(complete(c))
		}
	}
}

// steps are the actions for the operator of a node with these values.
func (e Entry) steps(values map[string]string) []Step {
	if steps, known := e.Cases[values["case"]]; known {
		return steps
	}
	return e.Next
}

func cloneCases(cases map[string][]Step) map[string][]Step {
	cases = maps.Clone(cases)
	for c, steps := range cases {
		cases[c] = cloneSteps(steps)
	}
	return cases
}

func cloneSteps(steps []Step) []Step {
	steps = slices.Clone(steps)
	for i, s := range steps {
		steps[i].Run = slices.Clone(s.Run)
	}
	return steps
}

// Kind is the class as it is shown to people: a state of a running member is
// "shown", whatever it takes to end it, and what systemd's daemon waits for
// "waits".
func (e Entry) Kind() string {
	switch {
	case e.Lives:
		return "shown"
	case e.Waits:
		return "waits"
	}
	return string(e.Class)
}

// ends reports whether the daemon ends because of the entry, also under systemd.
func (e Entry) ends() bool { return e.Exit != ExitFailure }

// All returns a copy of the catalogue, in its order. The caller may change it.
func All() []Entry {
	all := slices.Clone(catalogue)
	for i, e := range all {
		all[i].Texts, all[i].Wire, all[i].Next = slices.Clone(e.Texts), slices.Clone(e.Wire), cloneSteps(e.Next)
		all[i].Cases = cloneCases(e.Cases)
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
