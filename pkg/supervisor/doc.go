// Package supervisor keeps one member process running for as long as that
// makes sense, and tells systemd and the operator the truth about it.
//
// [Supervisor.Run] owns everything: it prepares the launch (finds the address
// and name), starts the member, folds its messages into one status value,
// restarts it by the class of its failure, earns the watchdog's pings, and
// stops it. One goroutine, the loop, decides; the others only carry messages
// to it. Run returns after all it started has ended.
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
// what the member tells it through package pipe. It asks of its caller that
// signals cancel Run's context (a second one closes Options.Force), and of the
// member that it ends when its pipe of commands does.
package supervisor
