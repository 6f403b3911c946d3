package status

import (
	"fmt"
	"slices"
	"time"
)

// State is where the node is in its life.
//
//	Starting → Joining → Serving → Stopping → Stopped
//
// with Backoff between attempts, Restarting from Serving to Joining where the operator
// has asked for that, and Failed for what must not be tried again.
type State string

// The states.
const (
	Starting   State = "starting"   // finding the address and name, opening the data
	Joining    State = "joining"    // the member runs and waits for peers, a leader, its own publication
	Serving    State = "serving"    // published in this start, and one linearizable read was answered
	Backoff    State = "backoff"    // the member ended; the next attempt is due
	Restarting State = "restarting" // the member was told to stop, and another one starts in its place
	Stopping   State = "stopping"   // a stop was asked for
	Stopped    State = "stopped"    // ended as asked
	Failed     State = "failed"     // ended for good: the operator has to act
)

// Doing says what a member that does not serve does.
func (s State) Doing() string {
	switch s {
	case Backoff:
		return "waits before the next try"
	case Failed:
		return "has failed for good (etcd-node explain)"
	}
	return "is " + string(s)
}

// Status is the whole of what an operator is shown.
type Status struct {
	Format int       `json:"format"` // [Format]
	State  State     `json:"state"`
	Since  time.Time `json:"since"` // when State was entered
	// Reason says in plain words what the state waits for or why it was entered.
	Reason string `json:"reason,omitempty"`

	PID int `json:"pid"` // the supervisor, systemd's MainPID
	// Version is the supervisor's; the member's is in its View, and another one after
	// an upgrade until the service is restarted.
	Version   string `json:"version,omitempty"`
	MemberPID int    `json:"memberPid,omitempty"` // 0: no member process
	// Killed says that the member process was sent SIGKILL and has not ended.
	Killed bool `json:"killed,omitempty"`
	// Silent is for how many seconds nothing has been heard of the member, which beats once
	// a second: what its View says is so old. 0: it beats.
	Silent   int  `json:"silent,omitempty"`
	Restarts int  `json:"restarts"`          // member restarts in this supervisor's life
	LastEnd  *End `json:"lastEnd,omitempty"` // how the member ended last
	View     View `json:"member"`            // what the member sees
	// Errand says what a reload or a restart waits for; "" while there is none.
	Errand  string   `json:"errand,omitempty"`
	Ready   bool     `json:"readySent"`         // READY=1 was sent to systemd
	Notices []string `json:"notices,omitempty"` // what the configuration had to say
	// Values are the node's own, for failure.Explain.
	Values map[string]string `json:"values,omitempty"`
	// Conditions are what is wrong with this node, whatever its member does;
	// those of the member are in its View.
	Conditions []Condition `json:"conditions,omitempty"`
	// Certificates are those in use.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Found says where the node's name and address come from.
	Found string `json:"found,omitempty"`
	// Counters count since the supervisor began.
	Counters   Counters `json:"counters,omitzero"`
	Goroutines int      `json:"goroutines"` // of the supervisor: a leak would show here
}

// Certificate is a file with a certificate in use.
type Certificate struct {
	File     string    `json:"file"`
	Settings []string  `json:"settings"` // the flags that name it, "peer-cert-file"
	NotAfter time.Time `json:"notAfter"`
}

// Counters is what a supervisor counts.
type Counters struct {
	// Seconds is for how long it has been in each state, without the one that it is in.
	Seconds map[State]float64 `json:"seconds,omitempty"`
	// Ends are ends of the member, by the class of its failure.
	Ends map[string]int `json:"ends,omitempty"`
	// Reloads are reloads and restarts that were asked for, by how they ended: "done",
	// "refused", "invalid", "failed".
	Reloads map[string]int `json:"reloads,omitempty"`
	// Start is how long the last start of a member took until it served, in seconds.
	Start float64 `json:"start,omitempty"`
}

// AllConditions are the member's, while there is one, and the node's.
func (s Status) AllConditions() []Condition {
	if s.State != Joining && s.State != Serving {
		return s.Conditions
	}
	return slices.Concat(s.View.Conditions, s.Conditions)
}

// End is how the member process ended.
type End struct {
	Time  time.Time `json:"time"`
	ID    string    `json:"id"`    // of the failure, see package failure
	Cause string    `json:"cause"` // one sentence
	Next  []string  `json:"next,omitempty"`
	// Values are the node's own at that time, for failure.Explain.
	Values map[string]string `json:"values,omitempty"`
	// Over is when the member served again; zero: it has not since.
	Over time.Time `json:"over,omitzero"`
}

// Ago says how long ago the end was, "3 min ago".
func (e End) Ago(now time.Time) string { return ago(now, e.Time) }

// Since says that the end is over. What was to be done then may be harmful now.
func (e End) Since() string {
	return fmt.Sprintf("over: the member served again at %s", e.Over.Local().Format(time.DateTime))
}

// View is what the member knows about itself and its cluster.
type View struct {
	// Version is that of the etcd-node which runs the member.
	Version   string `json:"version,omitempty"`
	ClusterID string `json:"clusterId,omitempty"` // hexadecimal, as etcdctl prints it
	MemberID  string `json:"memberId,omitempty"`
	Name      string `json:"name,omitempty"`
	// Stored says that this member holds entries that it must not lose, and
	// may have voted: an empty data dir is a loss from now on.
	Stored  bool `json:"stored"`
	Ready   bool `json:"ready"`   // published in this start, linearizable read answered
	Learner bool `json:"learner"` // not promoted yet
	// Auth says that the cluster asks every client for a user and its password.
	Auth bool `json:"auth,omitempty"`
	// Leader is the leader's name, or its member ID while the name is
	// unknown; "" while there is none.
	Leader  string   `json:"leader,omitempty"`
	Members []Member `json:"members,omitempty"` // all, this one included, in the order of names
	// NoQuorum says that this member leads, or did last, and hears no quorum:
	// whatever Leader says, nothing is committed.
	NoQuorum bool     `json:"noQuorum,omitempty"`
	Alarms   []string `json:"alarms,omitempty"`   // "NOSPACE", "CORRUPT of etcd-2"
	Progress string   `json:"progress,omitempty"` // what a start that takes its time is doing
	// Conditions are what is wrong while the member runs, and a restart would
	// not mend.
	Conditions []Condition `json:"conditions,omitempty"`
	// Forced says that --force-new-cluster is set and counts no more: this process
	// or an earlier one has started with it.
	Forced bool `json:"forced,omitempty"`
	// Elections is what was done instead of waiting for etcd's timers, since
	// the member process began.
	Elections Elections `json:"elections,omitzero"`
	// ElectionsOff says why nobody is asked to replace a leader that is lost, so
	// that etcd's timer decides; "" where it is asked.
	ElectionsOff string `json:"electionsOff,omitempty"`
	// Requests is what became of requests to a lost leader, in the same time.
	Requests Requests `json:"requests,omitzero"`
	// LeaderChanges is how often the leader has changed in the last hour of the member
	// process.
	LeaderChanges int      `json:"leaderChanges,omitempty"`
	Raft          Raft     `json:"raft,omitzero"`
	Database      Database `json:"database,omitzero"`
	Disk          Disk     `json:"disk,omitzero"`
	Space         Space    `json:"space,omitzero"`
}

// Space is what the file system of the data has left, in bytes.
type Space struct {
	Available int64 `json:"available"`
	Total     int64 `json:"total"`
	Reserve   int64 `json:"reserve"` // what is held of the reserve
}

// Raft is how far this member is.
type Raft struct {
	Term      uint64 `json:"term"`
	Committed uint64 `json:"committed"` // the last entry that is, as far as this member knows
	Applied   uint64 `json:"applied"`   // the last one that it has applied
}

// lag is how many entries are committed and not applied here.
func (r Raft) lag() uint64 { return max(r.Committed, r.Applied) - r.Applied }

// Database is its size, in bytes.
type Database struct {
	Size  int64 `json:"size"`            // of the file, which counts against the quota
	InUse int64 `json:"inUse"`           // of that; a defragmentation frees the rest
	Quota int64 `json:"quota,omitempty"` // 0: none
}

// Disk is how long it took of late.
type Disk struct {
	Seconds int     `json:"seconds"` // how far back this goes: 300 at most
	Fsync   Latency `json:"fsync"`   // of the WAL; each proposal waits for one
	Commit  Latency `json:"commit"`  // to the database
}

// Latency is in seconds, as etcd's histograms have it. Of what took less than a
// millisecond they do not know how much less.
type Latency struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
}

// Condition is something that is wrong.
type Condition struct {
	ID string `json:"id"` // of the catalogue, see package failure
	// Text says it in one sentence; "" where the rest of the status does.
	Text string `json:"text,omitempty"`
	// Case is the one of the entry's that it is; "" where that is not known.
	Case string `json:"case,omitempty"`
	// PeerURLs are where this member is reached, if the condition is that the
	// cluster knows others.
	PeerURLs string `json:"peerUrls,omitempty"`
}

// Values are what the entry's commands need beside the node's own.
func (c Condition) Values() map[string]string {
	return map[string]string{"case": c.Case, "own-urls": c.PeerURLs}
}

// Elections counts what package election does.
type Elections struct {
	Deaths    int `json:"deaths,omitempty"`    // leaders found dead, and given up at once
	Campaigns int `json:"campaigns,omitempty"` // elections asked for
	Silent    int `json:"silent,omitempty"`    // leaders given up because their hosts were silent
	Deceived  int `json:"deceived,omitempty"`  // leaders given up that were alive
	Doubts    int `json:"doubts,omitempty"`    // leaders whose port refused us, but whose streams stood
}

// Requests counts what package flight does.
type Requests struct {
	Ended int `json:"ended,omitempty"` // because they were lost with a leader, or on the way to it
}

// Member is one member of the cluster, as seen from this node.
type Member struct {
	ID       string   `json:"id,omitempty"`
	Name     string   `json:"name,omitempty"` // "" before the member published itself
	PeerURLs []string `json:"peerUrls,omitempty"`
	Self     bool     `json:"self,omitempty"`
	Learner  bool     `json:"learner,omitempty"`
	// Unstarted says that the member was added and has never started.
	Unstarted bool `json:"unstarted,omitempty"`
	// Connected says that raft messages flow and the peer answers; always
	// true for Self.
	Connected bool `json:"connected"`
	// Cause says why a member is not connected: "192.168.122.6: connection refused".
	Cause string `json:"cause,omitempty"`
	// Version is that of its etcd; "" where it has not been asked yet.
	Version string `json:"version,omitempty"`
	// RoundTrip is how long a question to its peer port takes on average, in seconds. It
	// follows in steps of a quarter.
	RoundTrip float64 `json:"roundTrip,omitempty"`
}

// Equal reports whether two views say the same.
func (v View) Equal(w View) bool {
	return v.Version == w.Version && v.ClusterID == w.ClusterID && v.MemberID == w.MemberID && v.Name == w.Name &&
		v.Stored == w.Stored && v.Ready == w.Ready && v.Learner == w.Learner && v.Auth == w.Auth && v.Leader == w.Leader && v.Progress == w.Progress && v.Elections == w.Elections && v.ElectionsOff == w.ElectionsOff && v.NoQuorum == w.NoQuorum && v.Requests == w.Requests &&
		v.Forced == w.Forced && v.LeaderChanges == w.LeaderChanges && v.Raft == w.Raft && v.Database == w.Database && v.Disk == w.Disk && v.Space == w.Space &&
		slices.Equal(v.Alarms, w.Alarms) && slices.Equal(v.Conditions, w.Conditions) &&
		slices.EqualFunc(v.Members, w.Members, func(a, b Member) bool {
			return a.ID == b.ID && a.Name == b.Name && a.Self == b.Self && a.Learner == b.Learner && a.Unstarted == b.Unstarted &&
				a.Connected == b.Connected && a.Version == b.Version && a.RoundTrip == b.RoundTrip && a.Cause == b.Cause && slices.Equal(a.PeerURLs, b.PeerURLs)
		})
}

// leads reports whether this member is the leader.
func (v View) leads() bool { return v.Leader != "" && (v.Leader == v.Name || v.Leader == v.MemberID) }

// quorum reports whether the connected voting members are one.
func (v View) quorum() bool {
	voters, connected := 0, 0
	for _, m := range v.Members {
		if m.Learner {
			continue
		}
		voters++
		if m.Connected {
			connected++
		}
	}
	return connected > voters/2
}

// LacksQuorum reports whether a member that joins waits for others, which are listed
// and too few.
func (s Status) LacksQuorum() bool {
	v := s.View
	return s.State == Joining && v.Progress == "" && len(v.Members) > 0 && v.Leader == "" && !v.quorum()
}

// AllConnected reports whether every voting member is connected. It is false
// while the members are unknown.
func (v View) AllConnected() bool {
	for _, m := range v.Members {
		if !m.Connected && !m.Learner {
			return false
		}
	}
	return len(v.Members) > 0
}
