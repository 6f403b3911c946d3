package datadir

import "fmt"

// WALLost reports whether the WAL lacks entries that the database has applied,
// and no other member can bring them: the log was deleted, is elsewhere, or was
// shortened in a cluster of one. etcd does not notice; it starts, and never
// becomes ready.
//
// In a larger cluster a log that merely ends early is not called lost: a kill
// can leave that too, the others have the rest, and etcd does say so; see
// [Data.Behind].
func (d Data) WALLost() (why string, yes bool) {
	why, yes = d.missing()
	return why, yes && (!d.WAL.Exists() || d.leadsAlone())
}

// Behind reports whether the WAL ends before what the database has applied, but
// other members have the rest. A kill can do that to a follower: etcd applies
// what the leader says is committed while it still writes it to the WAL. The
// leader then sends it again. If instead the WAL lost entries that it had
// confirmed, this member cannot go on, and etcd panics about tocommit.
func (d Data) Behind() (why string, yes bool) {
	if why, yes = d.missing(); !yes || !d.WAL.Exists() || d.leadsAlone() {
		return "", false
	}
	return why + ": the other members send the rest, unless this one had confirmed it; then it ends with a panic about tocommit and must be replaced", true
}

func (d Data) missing() (why string, yes bool) {
	switch ci := d.DB.ConsistentIndex; { // 0 where the database cannot be read
	case ci == 0 || ci <= d.WAL.LastIndex:
		return "", false
	case !d.WAL.Exists():
		return fmt.Sprintf("the database has applied entries up to %d, but there is no WAL in %s", ci, d.WALDir), true
	case d.WAL.Damage != nil:
		return fmt.Sprintf("the database has applied entries up to %d, but %v", ci, d.WAL.Damage), true
	default:
		return fmt.Sprintf("the database has applied entries up to %d, but the WAL in %s ends at %d", ci, d.WALDir, d.WAL.LastIndex), true
	}
}

// leadsAlone reports whether this member is the only one that votes. It
// commits nothing that its own WAL does not hold.
func (d Data) leadsAlone() bool {
	voters, self := 0, false
	for _, m := range d.DB.Members {
		if !m.Learner {
			voters++
			self = self || m.ID == d.WAL.MemberID
		}
	}
	// a WAL without a head does not name its member
	return voters == 1 && (self || d.WAL.MemberID == 0)
}
