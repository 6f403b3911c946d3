package etcdctl

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/pkg/v3/cobrautl"
)

// Ctl runs etcdctl with these arguments, and returns if all went well.
func Ctl(args []string) {
	os.Args = append([]string{"etcdctl"}, args...) // it reads them itself, watch also behind cobra's back
	cobra.EnablePrefixMatching = true
	ctlv3.MustStart()
}

// Utl runs etcdutl with these arguments, and returns if all went well. Its main
// package cannot be imported; this is what stands there.
func Utl(args []string) {
	cobra.EnablePrefixMatching = true
	root := &cobra.Command{Use: "etcdutl", Short: "An administrative command line tool for etcd3."}
	formats := []string{"fields", "json", "protobuf", "simple", "table"}
	root.PersistentFlags().DurationVar(&etcdutl.FlockTimeout, "timeout", 10*time.Second, "time to wait to obtain a file lock on db file, 0 to block indefinitely")
	root.PersistentFlags().StringVarP(&etcdutl.OutputFormat, "write-out", "w", "simple", "set the output format (fields, json, protobuf, simple, table)")
	err := root.RegisterFlagCompletionFunc("write-out", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formats, cobra.ShellCompDirectiveDefault
	})
	root.AddCommand(
		etcdutl.NewDefragCommand(),
		etcdutl.NewSnapshotCommand(),
		etcdutl.NewHashKVCommand(),
		etcdutl.NewVersionCommand(),
		etcdutl.NewCompletionCommand(),
		etcdutl.NewMigrateCommand(),
	)
	root.SetHelpTemplate(`{{.UsageString}}`)
	root.SetArgs(args)
	if err := errors.Join(err, root.Execute()); err != nil {
		cobrautl.ExitWithError(cobrautl.ExitError, err)
	}
}
