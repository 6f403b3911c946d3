package settings

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// writeEnv prints an env file for this machine: read again it gives the same
// settings, but for secrets, whose lines are comments.
func (r *Resolved) writeEnv(w io.Writer, origins bool) error {
	var b strings.Builder
	b.WriteString("# The settings of this machine, with what was found out here: other machines have other values.\n")
	for i, s := range r.Settings {
		if i > 0 && s.Name == r.Settings[i-1].Name {
			continue // said with the first
		}
		for _, more := range r.Settings[i+1:] { // what adds up adds up with commas, too
			if more.Name == s.Name {
				s.Value += "," + more.Value
			}
		}
		writeVariable(&b, Variable(s.Name), s, origins)
	}
	for _, s := range r.Own {
		if s.Name != "ETCD_NODE_ENV_FILE" && s.Name != "ETCD_NODE_UNIT" { // an env file names neither
			writeVariable(&b, s.Name, s, origins)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeVariable(b *strings.Builder, name string, s Setting, origins bool) {
	if origins {
		fmt.Fprintf(b, "# %s\n", s.origin())
	}
	if s.Secret() {
		b.WriteString("#")
	}
	fmt.Fprintf(b, "%s=%s\n", name, envQuote(s.Shown()))
}

// literal are the values that need no quotes, for systemd or a shell.
var literal = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// envQuote writes a value as systemd reads it back.
func envQuote(value string) string {
	if literal.MatchString(value) {
		return value
	}
	return `"` + strings.NewReplacer("\\", `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(value) + `"`
}

// shellQuote writes a value as a shell reads it back.
func shellQuote(value string) string {
	if literal.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// writeCommand prints the line with which plain etcd would do the same. etcd
// has no flags for etcd-node's own settings, and could not do what they ask for.
func (r *Resolved) writeCommand(w io.Writer, origins bool) error {
	settings := slices.Clone(r.Settings)
	if r.ConfigFile == "" && !slices.ContainsFunc(settings, func(s Setting) bool { return s.Name == "data-dir" }) && r.DataDir != "" {
		// etcd's default, said: it depends on the name and the working directory.
		settings = append(settings, Setting{Name: "data-dir", Value: r.DataDir, Origin: FromDerivation, Source: "from the name"})
	}
	var b strings.Builder
	if origins {
		for _, s := range settings {
			fmt.Fprintf(&b, "# --%s: %s\n", s.Name, s.origin())
		}
	}
	b.WriteString("etcd")
	for _, s := range settings {
		fmt.Fprintf(&b, " \\\n  --%s=%s", s.Name, shellQuote(s.Shown()))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// EnvLines are the lines of an env file with these settings and other variables. Unlike
// what [Resolved.Write] prints they have secrets, too.
func EnvLines(list []Setting, other map[string]string) string {
	var b strings.Builder
	values, names := map[string]string{}, []string{}
	for _, s := range list {
		name := Variable(s.Name)
		if before, twice := values[name]; twice { // what adds up adds up with commas, too
			values[name] = before + "," + s.Value
			continue
		}
		values[name] = s.Value
		names = append(names, name)
	}
	for _, name := range slices.Concat(names, slices.Sorted(maps.Keys(other))) {
		fmt.Fprintf(&b, "%s=%s\n", name, envQuote(cmp.Or(values[name], other[name])))
	}
	return b.String()
}
