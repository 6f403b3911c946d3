package failure

// Cases of entries: which of their steps are of use. See [Entry].
const (
	CaseEmpty = "empty" // of wiped: nothing is there
	CasePart  = "part"  // of wiped: a part of the data is there, and in the way

	CaseOwner  = "owner"  // of data-dir-owner: the files are the wrong user's
	CaseCaller = "caller" // of data-dir-owner: the files are the service user's, and this is another one

	CaseToTLS   = "to-tls"   // of other-urls: http in the data, https in the list
	CaseFromTLS = "from-tls" // of other-urls: https in the data, http in the list
	CaseEarly   = "early"    // the same, but the others have http in the data
	CaseRestart = "restart"  // of other-urls: they are the same, and it does not listen there yet
	CaseMoved   = "moved"    // of other-urls: another address or port
	CaseOther   = "other"    // of other-urls: those of another member
)

// IDs that other packages name, because no text of etcd's tells them.
const (
	// Membership and identity.
	IDRemoved        = "removed"          // not a member of its cluster any more
	IDWiped          = "wiped"            // empty data dir where the pin says a member was
	IDWipedRejoin    = "wiped-rejoin"     // the cluster says the same
	IDForeign        = "foreign-cluster"  // the peers are of another cluster
	IDOtherIdentity  = "other-identity"   // the data is not the pinned member's
	IDPinElsewhere   = "pin-elsewhere"    // the pin is of another data dir
	IDLoopbackData   = "loopback-data"    // data of a cluster of one, configuration of several
	IDLoopbackConfig = "loopback-config"  // data of several, no configuration
	IDCloned         = "cloned"           // this node's member runs on another machine
	IDOtherEntry     = "other-entry"      // the data's member is another entry of the list than this machine
	IDNotListed      = "not-listed"       // a first start, and a cluster lives that does not list this node
	IDSeveral        = "several-clusters" // a first start, and members of several clusters are in the list
	IDNoCluster      = "no-cluster"       // a first start with state existing, and nothing exists
	IDNoAnswer       = "no-answer"        // a first start, and a listed machine does not answer

	// The cluster as seen from here; the member lives on.
	IDNoQuorum     = "no-quorum"
	IDNoQuorumYet  = "no-quorum-yet" // it has never had a leader
	IDMisplaced    = "misplaced"     // this member is not where the cluster knows it
	IDPeerFrozen   = "peer-frozen"
	IDNoSpaceAlarm = "nospace-alarm"
	IDQuotaLow     = "quota-low"
	IDCorruptAlarm = "corrupt-alarm"

	// The cluster list against the data; the member lives on.
	IDOtherURLs    = "other-urls"    // other peer URLs
	IDOtherMembers = "other-members" // the list names members that the data does not have
	IDNeverStarted = "never-started" // a member was added and has never run

	// Data.
	IDHalfBegun  = "half-begun"   // a first start that was killed, cluster of one
	IDAsideLimit = "aside-limit"  // half-begun too often
	IDWALLost    = "wal-lost"     // the raft log ends before what the database holds
	IDTooOld     = "data-too-old" // written by etcd 3.5 or older
	IDTooNew     = "data-too-new" // written by an etcd newer than the one in here
	IDDamaged    = "data-damaged"
	IDLocked     = "db-locked" // another process has the data open

	// Disk and files.
	IDDiskFull     = "disk-full"
	IDDiskLow      = "disk-low"
	IDWALRepair    = "wal-repair" // the cut-off end of the WAL cannot be repaired, mostly for want of space
	IDDiskIO       = "disk-io"
	IDDiskSlow     = "disk-slow" // an fsync hangs
	IDWALBroken    = "wal-broken-files"
	IDDirAccess    = "data-dir-access"
	IDDirOwner     = "data-dir-owner"
	IDDirMode      = "data-dir-mode"
	IDEnvFile      = "env-file-unreadable"
	IDCannotLook   = "cannot-look"
	IDCannotRecord = "cannot-record" // recorder or pin cannot be written

	// Configuration, address, time.
	IDConfiguration = "configuration"
	IDNoAddress     = "no-address"
	IDAddressGone   = "address-gone"
	IDStartTimeout  = "start-timeout"
	IDClockBack     = "clock-back"

	// TLS.
	IDTLSFile      = "tls-file"       // etcd cannot load a certificate, key or CA
	IDTLSCRL       = "tls-crl"        // etcd cannot read a revocation list
	IDTLSExpired   = "tls-expired"    // a certificate has expired, or is not valid yet
	IDTLSExpires   = "tls-expires"    // it expires soon
	IDTLSUnfit     = "tls-unfit"      // the other members are likely to refuse the peer certificate
	IDTLSCAChanged = "tls-ca-changed" // the trusted CA has changed since etcd read it

	// What is not believed at the first word, and a setting that is for one start.
	IDRemovalUnproven = "removal-unproven"   // somebody says so who is no member of the cluster
	IDMessage         = "message-damaged"    // what ended the member may have come with a message
	IDForced          = "forced-new-cluster" // it was, and the setting is still there
	IDForcedAgain     = "forced-again"       // refused: the cluster has grown since
	IDForcedBeside    = "forced-beside"      // refused: other members are alive

	// The process.
	IDKilled        = "killed"
	IDEnded         = "ended"
	IDHang          = "hang" // the member's loop does not beat
	IDDaemonKilled  = "daemon-killed"
	IDMachineDown   = "machine-down"
	IDOutOfMemory   = "out-of-memory"
	IDCannotExecute = "cannot-execute"
	IDServerStopped = "server-stopped"
	IDSignalled     = "signalled"
	IDNotStarted    = "not-started"
)
