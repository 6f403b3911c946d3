package control

// Wish is a member in place of the one that runs: with what the operator has written
// since (a reload), or in any case (a restart).
type Wish struct {
	// Environ is the environment that systemd would start the daemon with now; empty:
	// the daemon reads the files of its unit by itself.
	Environ []string `json:"environ,omitempty"`
	// Restart: even where nothing has changed.
	Restart bool `json:"restart,omitempty"`
	// NoTurn: other members may be restarted at the same time, but the quorum is asked
	// for. Force: nothing is asked.
	NoTurn bool `json:"noTurn,omitempty"`
	// DryRun: tell what would change, and change nothing. It is the path that says so: a
	// daemon that did not know it would reload.
	DryRun bool `json:"-"`
	Force  bool `json:"force,omitempty"`
}

// Unchanged is what is said last of a reload that had nothing to do.
const Unchanged = "nothing has changed"

// Word is what it is called, "reload".
func (w Wish) Word() string {
	if w.Restart {
		return "restart"
	}
	return "reload"
}
