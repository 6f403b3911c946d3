package config

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// EnvFileTemplate is deploy/systemd/etcd.default: every line a comment.
func EnvFileTemplate() string {
	var b strings.Builder
	b.WriteString(envFileHead)
	for _, s := range sections {
		head := "## " + s.title + ". "
		fmt.Fprintf(&b, "\n%s%s\n%s", head, strings.Repeat("#", max(0, 80-len(head))), s.text)
		for _, r := range rows {
			if r.section != s.title || r.example == "" {
				continue
			}
			text := r.help + "."
			if r.more != "" {
				text += " " + r.more
			}
			if r.example != r.preset && r.preset != "" {
				text += " The default is " + r.preset + "."
			}
			for _, line := range fill(text, 78) {
				b.WriteString("# " + line + "\n")
			}
			fmt.Fprintf(&b, "#%s=%s\n", r.name, r.example)
		}
	}
	return b.String()
}

// Help is what --help says of the settings that are ours.
func Help() string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "  %s", r.name)
		if r.preset != "" {
			fmt.Fprintf(&b, "=%s", r.preset)
		}
		b.WriteString("\n")
		for _, line := range fill(r.help, 72) {
			b.WriteString("      " + line + "\n")
		}
	}
	return b.String()
}

// Page is docs/configuration.md.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("| variable | default | takes | |\n|---|---|---|---|\n")
	for _, r := range rows {
		preset := "–"
		if r.preset != "" {
			preset = "`" + r.preset + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.name, preset, r.takes, strings.TrimSpace(r.help+". "+r.more))
	}
	b.WriteString(pageEtcd)
	b.WriteString("| variable | default | |\n|---|---|---|\n")
	newTable().VisitAll(func(f *flag.Flag) {
		if isIgnored(f) || f.Name == "version" {
			return
		}
		preset := ""
		if f.DefValue != "" {
			preset = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", envName(f.Name), preset, strings.ReplaceAll(f.Usage, "|", "\\|"))
	})
	b.WriteString(pageRetired)
	b.WriteString("| flag | last in | instead |\n|---|---|---|\n")
	for _, r := range allRetired() {
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", r.name, r.last, r.instead(func(f string) string { return "--" + f }))
	}
	b.WriteString(pageTail)
	return b.String()
}

// allRetired lists the retirees, and the flags that only lost their first
// word, of which retiredFlag needs no list.
func allRetired() []retired {
	all := slices.Clone(retirees)
	for _, name := range graduates {
		if r, ok := retiredFlag(name); ok {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b retired) int { return cmp.Compare(a.name, b.name) })
	return all
}

// fill breaks text into lines of at most width letters.
func fill(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
