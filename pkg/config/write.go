package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

const redacted = "(redacted)"

// Args returns the member's argv, without the program's name: every setting as
// a flag of etcd's, secrets left out. With a config file it is that flag alone.
func (r *Resolved) Args() []string {
	if r.ConfigFile != "" {
		return []string{"--config-file=" + r.ConfigFile}
	}
	var args []string
	for _, s := range r.Settings {
		if !s.Secret {
			args = append(args, "--"+s.Name+"="+s.Value)
		}
	}
	return args
}

// Secrets returns the settings that Args leaves out, by flag name. They go to
// the member over a pipe.
func (r *Resolved) Secrets() map[string]string {
	secrets := make(map[string]string)
	for _, s := range r.Settings {
		if s.Secret {
			secrets[s.Name] = s.Value
		}
	}
	return secrets
}

// Write prints every setting that is not etcd's default, and ours that are
// set, as an aligned table: name, value, where it comes from. Secrets are
// redacted.
func (r *Resolved) Write(w io.Writer) error {
	rows := slices.Concat(r.Settings, r.own)
	if r.ConfigFile != "" {
		rows = append([]Setting{r.configFile}, r.own...)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "every setting is etcd's default")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SETTING\tVALUE\tORIGIN")
	for _, s := range rows {
		value := s.Value
		switch {
		case s.Secret:
			value = redacted
		case value == "" || strings.ContainsAny(value, "\t\n\r"):
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s %s\n", s.Name, value, s.Origin, s.Source)
	}
	return tw.Flush()
}
