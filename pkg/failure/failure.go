package failure

import (
	"slices"
	"strings"
)

// Class says what to do after a failure.
type Class string

// The classes.
const (
	// Transient failures heal by a restart, or by themselves: restart at
	// once, then with a short backoff.
	Transient Class = "transient"
	// Operator failures heal when somebody repairs something outside the
	// data: restart slowly and say so loudly.
	Operator Class = "operator"
	// Permanent failures are made no better, or are made worse, by another
	// try: the daemon ends with the failure's exit code.
	Permanent Class = "permanent"
)

// Exit codes of the daemon. systemd's RestartPreventExitStatus= names those
// of the permanent failures. They are those of sysexits.h, which systemd
// prints by name; 1 and 2 are not among them because etcd's Fatal and Go's
// panics and watchdog aborts end with these.
const (
	ExitOK      = 0
	ExitFailure = 1 // a failure that another start may heal
	ExitUsage   = 2 // a bad command line, as etcd does

	ExitData    = 65 // EX_DATAERR: the data is damaged, or of another version
	ExitNoData  = 66 // EX_NOINPUT: the data dir is empty where a member used to be
	ExitRemoved = 67 // EX_NOUSER: this member was removed from the cluster
	ExitTimeout = 75 // EX_TEMPFAIL: not joined within ETCD_NODE_START_TIMEOUT, or failed for a minute
	ExitForeign = 76 // EX_PROTOCOL: the peers, or the data, belong to another cluster
	ExitConfig  = 78 // EX_CONFIG: the configuration is wrong
)

// Failure is one way a member ended, or could not start. It is an error; where
// a function returns a *Failure, nil means that nothing failed.
type Failure struct {
	ID     string   `json:"id"` // stable, "disk-full"
	Class  Class    `json:"class"`
	Cause  string   `json:"cause"`            // one sentence, lower case, no full stop
	Next   []string `json:"next,omitempty"`   // what to do, commands first
	Detail string   `json:"detail,omitempty"` // etcd's own words
	Exit   int      `json:"exit"`             // exit code where the daemon ends because of it
	// Wire says that one message that was damaged on its way looks the same.
	Wire bool `json:"wire,omitempty"`
	// Values of the node that etcd's own words tell, for [Failure.Fill].
	Values map[string]string `json:"values,omitempty"`
}

// Error is the cause, and what etcd said where that tells more.
func (f *Failure) Error() string {
	if f.Detail == "" || strings.Contains(f.Cause, f.Detail) {
		return f.Cause
	}
	if strings.HasSuffix(f.Cause, "?") {
		return f.Cause + " " + f.Detail
	}
	return f.Cause + ": " + f.Detail
}

// Fill puts this node's own [Values] into the next steps: a word in capitals,
// which [Explain] explains, stands where one is not known, or nothing where the
// command can do without.
func (f *Failure) Fill(values map[string]string) *Failure {
	r := replacer(values)
	next := slices.Clone(f.Next)
	if e, ok := byID(f.ID); ok && e.Cases[values["case"]] != nil {
		next = lines(e.steps(values))
	}
	for i, n := range next {
		next[i] = ForUnit(r.Replace(n), values)
	}
	filled := *f
	filled.Next = next
	return &filled
}

// Steps returns the next steps of the entry id as [Failure.Fill] has them; nil
// where there is no such entry. A reader makes them anew instead of printing
// commands that somebody else has written down.
func Steps(id string, values map[string]string) []string {
	e, ok := byID(id)
	if !ok {
		return nil
	}
	return e.failure("").Fill(values).Next
}

// New returns the catalogue's entry id with etcd's own words. An unknown id is
// a mistake in the program and panics.
func New(id, detail string) *Failure {
	e, ok := byID(id)
	if !ok {
		panic("failure: no entry " + id)
	}
	return e.failure(detail)
}

func (e Entry) failure(detail string) *Failure {
	return &Failure{ID: e.ID, Class: e.Class, Cause: e.Cause, Next: lines(e.Next), Detail: detail, Exit: e.Exit}
}

func lines(steps []Step) (all []string) {
	for _, s := range steps {
		all = append(all, s.String())
	}
	return all
}
