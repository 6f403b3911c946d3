package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.etcd.io/etcd/server/v3/etcdmain"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
	"github.com/etcd-node/etcd-node/pkg/identity"
	"github.com/etcd-node/etcd-node/pkg/journal"
	"github.com/etcd-node/etcd-node/pkg/supervisor"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
	"github.com/etcd-node/etcd-node/pkg/terminal"
)

// gcPercent keeps the supervisor's heap small for years, together with a
// collection at each start of a member. Go collects no garbage before 4 MB ×
// GOGC / 100, and keeps what it has collected for a while; this process lives
// with half a megabyte. Without the two its private memory crept from 4.1 to
// 5.6 MB over 30 restarts.
const gcPercent = 10

// runDaemon reads as the boot sequence.
func runDaemon(ctx context.Context, force <-chan struct{}, w world) int {
	debug.SetGCPercent(gcPercent)

	// 1. What the operator wrote. systemd has read the env file already; by
	//    hand it is read only where its path is set, as etcd reads none.
	managed, own := w.environ.Get("NOTIFY_SOCKET") != "", w.environ.Starter()
	dir, _ := os.Getwd()
	loaded, err := config.Load(config.Input{
		Args:    w.args,
		Environ: w.environ,
		EnvFile: w.environ.Get("ETCD_NODE_ENV_FILE"),
		Unit:    own,
		Pinned:  identity.Store{Dir: w.environ.Home().Pins}.DataDir(),

		WorkingDir: dir,
		// Below, package tlsfiles waits for them and watches them.
		Patient:  managed,
		Watching: true,
	})
	if code, done := answered(w, loaded, err); done {
		return code
	}
	notify := supervisor.Notifier(w.environ.Get("NOTIFY_SOCKET"))
	if err != nil {
		return refuse(w, notify, err)
	}
	person := readable(w, loaded)
	log := zap.New(terminal.Core(w.stderr, zapcore.InfoLevel))
	if !person {
		if log, err = loaded.Logger(); err != nil {
			return refuse(w, notify, err)
		}
	}

	bare := log // whose level a reload can change

	// A stack trace under each error would drown the cause in `systemctl status`.
	log = log.WithOptions(zap.AddStacktrace(zapcore.PanicLevel), zap.WrapCore(journal.Redacted))

	if !person {
		loaded.LogAsEtcd(log, append([]string{w.called}, w.args...))
	}

	// 2. The supervisor, with its hands: systemd, the machine, the process.
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd's watchdog settings cannot be read; it will restart this service", zap.Error(err))
	}
	home := openHome(w, log)
	prepare := &preparation{w: w, log: log, home: home, managed: managed, person: person}
	prepare.use(prepare.generation(loaded, own, w.environ, ownExecutable(w.called)))
	start := supervisor.StartProcess(selfExe, w.environ, w.stdout, w.stderr, log)
	options := supervisor.Options{
		Log:          log,
		LikeEtcd:     !person,
		Notify:       notify,
		Watchdog:     watchdog,
		StartTimeout: loaded.Node().StartTimeout,
		Values:       own.Values(),
		Prepare:      prepare.launch,
		Renew:        prepare.renew,
		SetLevel:     func(level string) { journal.SetLevel(bare, level) },
		Version:      ownVersion(),
		Start: func(l supervisor.Launch) (*supervisor.Process, error) {
			defer debug.FreeOSMemory() // see gcPercent
			return start(l)
		},
		Delay:        supervisor.Delay,
		Force:        force,
		HangLimit:    loaded.Node().HangLimit,
		Record:       home.records.Add,
		Explains:     !home.records.Homeless(),
		Conditions:   prepare.conditions,
		Notices:      prepare.notices,
		Certificates: prepare.certificates,
		OOMKills:     recorder.OOMCounter(),
		LastEnd:      home.records.Past().LastEnd(),
	}
	if home.pins != nil {
		options.Pin = home.pins.Keep
	}
	s := supervisor.New(options)
	home.answer(w, s)
	defer home.close()

	defer func() { prepare.now.Load().unwatch() }()
	if managed {
		hearing, cancel := context.WithCancel(ctx)
		defer cancel()
		go onHangup(hearing, s, log)
	}

	// 3. Until told to stop, or failed for good.
	err = s.Run(ctx)
	_ = log.Sync() // standard streams cannot be synced
	var f *failure.Failure
	switch {
	case err == nil:
		return failure.ExitOK
	case errors.As(err, &f):
		return f.Exit
	default:
		return failure.ExitFailure
	}
}

// answered handles the command lines that ask instead of starting a daemon.
func answered(w world, loaded *config.Loaded, err error) (code int, done bool) {
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(w.stdout, usage, "\netcd's flags, each also a variable (--some-flag is ETCD_SOME_FLAG):\n")
		os.Stderr = nil                           // there etcd says how it is used, as we have done
		etcdmain.Main([]string{"etcd", "--help"}) // prints the flags, and ends the process with 0
		return failure.ExitOK, true
	case err == nil && loaded.Version:
		printVersion(w.stdout)
		return failure.ExitOK, true
	}
	return 0, false
}

// refuse says what is wrong with the configuration, on stderr and to systemd.
// A bad flag exits 2, as with etcd, except under systemd, whose
// RestartPreventExitStatus= must be able to tell it from a crash.
func refuse(w world, notify func(...string) error, err error) int {
	printInvalid(w.complaints(), err)
	if dir := w.environ.Home().Logs; dir != "" {
		recorder.Refused(dir, version, config.AsFailure(err), flushLimit)
	}
	if notify != nil {
		_ = notify("STATUS=failed: " + err.Error()) // stderr has it
		return failure.ExitConfig
	}
	var invalid *settings.Invalid
	if errors.As(err, &invalid) && invalid.Usage() {
		return failure.ExitUsage
	}
	return failure.ExitConfig
}

// printInvalid prints every problem of a configuration on a line of its own. A
// slip on the command line is no word about the configuration.
func printInvalid(w io.Writer, err error) {
	var invalid *settings.Invalid
	if is := errors.As(err, &invalid); is && invalid.Usage() && len(invalid.Problems) == 1 {
		fmt.Fprintln(w, "etcd-node:", err)
	} else {
		fmt.Fprintln(w, "etcd-node: the configuration is not valid:")
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(w, "  "+line)
		}
	}
	if invalid != nil {
		for _, n := range invalid.Notices {
			fmt.Fprintln(w, "etcd-node: notice:", n)
		}
	}
}
