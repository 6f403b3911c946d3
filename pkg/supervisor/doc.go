// Package supervisor keeps one member process running for as long as that
// makes sense, and tells systemd and the operator the truth about it.
//
// [Supervisor.Run] is the loop: a table of events. It owns the status value and
// the member process, and one goroutine runs it; the others only carry messages
// to it. Run returns after all it started has ended. What it does not decide
// itself is in parts, each with a file of its own:
//
//   - preparation finds out what to launch (the address, the name);
//   - child is the member process, policy what follows when it fails;
//   - hangWatch tells a member that hangs from a machine that was paused;
//   - announcer tells systemd and the log, history the flight recorder.
//
// state.go has the table of the moves that are allowed:
//
//	           ┌──────────────────────────────┐
//	           ▼                              │
//	Starting ─▶ Joining ─▶ Serving ─────▶ Backoff
//	   │           │          │               │
//	   └───────────┴──────────┴───────────────┴──▶ Stopping ─▶ Stopped
//	   │           │          │               │        │
//	   └───────────┴──────────┴───────────────┴────────┴─────▶ Failed
//
// The supervisor never touches the data dir and knows nothing of etcd but
// what the member tells it through package pipe. Its caller cancels Run's
// context at the first signal and closes Options.Force at the second; the
// member ends when its pipe of commands does.
package supervisor
