package pipe

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/status"
)

// Version is the protocol's version. A message of any other is refused.
const Version = 1

// MaxLine is the longest message in bytes. A view of 100 members with three
// URLs each takes about 30 KiB; 64 KiB is also what a pipe holds, so that one
// message always fits into an empty one.
const MaxLine = 64 << 10

// Descriptors of the member's ends, as inherited from the supervisor.
const (
	FDEvents   = 3
	FDCommands = 4
	FDCrash    = 5 // where the Go runtime writes a crash, see debug.SetCrashOutput
	FDLog      = 6 // where the member's log goes, see recorder.LineWriter
)

// Inherited opens a descriptor that the supervisor has left its member.
func Inherited(fd uintptr) (*os.File, error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(fd), &st); err != nil {
		return nil, err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return nil, fmt.Errorf("descriptor %d is not a pipe", fd)
	}
	syscall.CloseOnExec(int(fd))
	// Non-blocking, so that writes can have a deadline.
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return nil, err
	}
	return os.NewFile(fd, "supervisor"), nil
}

// Kind says what a message is.
type Kind string

// Messages of the member.
const (
	View    Kind = "view"    // what the member sees has changed
	Beat    Kind = "beat"    // the member's loop is alive; once a second
	Failing Kind = "failing" // the member is about to end, and why

	Waiting Kind = "waiting" // what a leave waits for
	Leaves  Kind = "leaves"  // the member stops now, as Leave asked; it exits 0
	Staying Kind = "staying" // it does not, and why
	Answer  Kind = "answer"  // to Spare, by its ID: why not; no text: it can be spared
)

// Messages of the supervisor.
const (
	Start Kind = "start" // first of all; carries the secrets
	Stop  Kind = "stop"  // hand over leadership, stop, exit 0

	Leave    Kind = "leave"     // stop, once it is this member's turn and the cluster can spare it
	Stay     Kind = "stay"      // take back a Leave that is not decided
	Spare    Kind = "spare"     // answer whether the cluster can spare this member
	GiveBack Kind = "give-back" // end the turn that an earlier member process took
	Node     Kind = "node"      // what the supervisor knows has changed; at most once a second
	Level    Kind = "level"     // log from the level in Text on
)

// Message is one line, either way. Only the fields of its Kind are set.
type Message struct {
	Version int               `json:"v"`
	Kind    Kind              `json:"kind"`
	View    *status.View      `json:"view,omitempty"`
	Failure *failure.Failure  `json:"failure,omitempty"`
	Secrets map[string]string `json:"secrets,omitempty"` // etcd flag → value
	// Election comes with Start.
	Election Election `json:"election,omitzero"`
	// Guard comes with Start too.
	Guard Guard `json:"guard,omitzero"`
	// Terminal comes with Start: a person reads the log at a terminal.
	Terminal bool `json:"terminal,omitempty"`
	// Text comes with Waiting, Staying, Answer and Level.
	Text string `json:"text,omitempty"`
	// Node comes with Start and Node: the status without what the member knows itself.
	Node *status.Status `json:"node,omitempty"`
	// ID joins Spare and Answer.
	ID uint64 `json:"id,omitempty"`
	// Leaving comes with Leave.
	Leaving Leaving `json:"leaving,omitzero"`
	// Turn comes with Leaves and GiveBack: when the turn may have ended, on the clock
	// that package turn reads; 0: there is none.
	Turn time.Duration `json:"turn,omitempty"`
}

// Leaving says what a leave does without.
type Leaving struct {
	NoTurn bool `json:"noTurn,omitempty"` // the others are asked all the same
	Force  bool `json:"force,omitempty"`  // nobody is asked
}

// Election says in which cases the member asks for an election instead of
// waiting for a timer; see package election.
type Election struct {
	Failover bool `json:"failover,omitempty"` // when the leader's process dies
	Start    bool `json:"start,omitempty"`    // when it starts and there is no leader
	// HostSilence is how long the leader's host may be silent; 0: that is not known.
	HostSilence time.Duration `json:"hostSilence,omitempty"`
}
