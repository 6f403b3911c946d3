package reference

import (
	"flag"
	"fmt"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/etcdflags"
	"github.com/etcd-node/etcd-node/pkg/config/settings"
	"github.com/etcd-node/etcd-node/pkg/failure"
)

// EnvFile is deploy/systemd/etcd.default: every line a comment.
func EnvFile() string {
	var b strings.Builder
	b.WriteString(envFileHead)
	for _, s := range sections {
		head := "## " + s.title + ". "
		fmt.Fprintf(&b, "\n%s%s\n%s", head, strings.Repeat("#", max(0, 80-len(head))), s.text)
		for _, v := range config.Variables {
			if v.Section != s.key || v.Example == "" {
				continue
			}
			text := strings.TrimSpace(v.Help + ". " + v.More)
			if v.Example != v.Default && v.Default != "" {
				text += " The default is " + v.Default + "."
			}
			failure.Wrap(&b, "# ", text)
			fmt.Fprintf(&b, "#%s=%s\n", v.Name, v.Example)
		}
	}
	return b.String()
}

// cell makes a text fit into a table's cell.
var cell = strings.NewReplacer("|", `\|`, "\n", "<br>")

// Page is docs/configuration.md.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("| variable | default | takes | |\n|---|---|---|---|\n")
	for _, v := range config.Variables {
		preset := "–"
		if v.Default != "" {
			preset = "`" + v.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, preset, v.Takes, strings.TrimSpace(v.Help+". "+v.More))
	}
	b.WriteString(pageEtcd)
	b.WriteString("| variable | default | |\n|---|---|---|\n")
	etcdflags.New().VisitAll(func(f *flag.Flag) {
		if etcdflags.IsIgnored(f) || f.Name == "version" {
			return
		}
		preset := ""
		if f.DefValue != "" {
			preset = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", settings.Variable(f.Name), preset, cell.Replace(f.Usage))
	})
	b.WriteString(pageRetired)
	b.WriteString("| flag | last in | instead |\n|---|---|---|\n")
	for _, r := range etcdflags.AllRetired() {
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", r.Name, r.Last, r.Instead(func(f string) string { return "--" + f }))
	}
	b.WriteString(pageTail)
	return b.String()
}
