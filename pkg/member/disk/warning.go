package disk

import "fmt"

const (
	// lowShare: less than a tenth available is low.
	lowShare = 10
	// lowCopies: less than this many databases available is low. A
	// defragmentation and a snapshot from the leader each write one.
	lowCopies = 2
	// lowInodes: etcd needs a few at a time; below this many something else is
	// using them up.
	lowInodes = 1000
)

// severity orders warnings; 0 is none.
type severity int

const (
	fine severity = iota
	recovering
	low
	noReserve
	full
)

// situation is one file system at one moment, in numbers.
type situation struct {
	dir      string // where the reserve is, or would be
	space    Space
	db       int64 // bytes of the database, 0 if it is elsewhere
	size     int64 // bytes of the reserve that there should be, 0: none
	held     int64 // bytes of it that there are
	released bool  // it was given up and not made again
}

// warning says what is wrong, with the numbers and what to do.
func (s situation) warning() (severity, string) {
	const remedy = "delete what is not etcd's, enlarge the file system, or shrink the database: etcd-node ctl compact, then etcd-node ctl defrag"
	available := fmt.Sprintf("%s of %s available in %s", bytes(s.space.Available), bytes(s.space.Total), s.dir)
	switch {
	case s.released && s.space.Available >= roomFor(s.size):
		return recovering, fmt.Sprintf("the disk was full: the reserve of %s is released, and made again when %s stay available for a minute; now %s",
			bytes(s.size), bytes(roomFor(s.size)), available)
	case s.released:
		return full, fmt.Sprintf("disk full: the reserve of %s is released, now %s; %s; the reserve is made again when %s are available",
			bytes(s.size), available, remedy, bytes(roomFor(s.size)))
	case s.space.Available < Needed && s.held == 0:
		return full, fmt.Sprintf("disk full: %s, etcd needs %s to start and to go on; %s", available, bytes(Needed), remedy)
	case s.held < s.size && s.space.Available < roomFor(s.size): // else it is about to be made, or cannot be, which the log says
		return noReserve, fmt.Sprintf("low disk space: %s, no room for the reserve of %s, which needs %s; %s (or ETCD_NODE_DISK_RESERVE=0)",
			available, bytes(s.size), bytes(roomFor(s.size)), remedy)
	case s.space.Available < s.space.Total/lowShare:
		return low, fmt.Sprintf("low disk space: %s, less than a tenth; %s", available, remedy)
	case s.space.Available < lowCopies*s.db:
		return low, fmt.Sprintf("low disk space: %s, less than twice the database (%s), which a defragmentation or a snapshot from the leader can need; %s",
			available, bytes(s.db), remedy)
	case s.space.Inodes > 0 && s.space.FreeInodes < lowInodes:
		return low, fmt.Sprintf("free inodes in %[2]s: %[1]d; etcd cannot make files when there are none; find the directory that uses them up (du --inodes)",
			s.space.FreeInodes, s.dir)
	}
	return fine, ""
}
