package config

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// redacted stands where a secret would.
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

// Formats are the names of the formats that Write knows, the default first.
var Formats = []string{"table", "env", "json", "command"}

// Write prints every setting that is not etcd's default, and ours that are
// set, in one of the [Formats]. Secrets are redacted in all of them. Table and
// json have each setting's origin; env and command have it as comments where
// origins is true.
func (r *Resolved) Write(w io.Writer, format string, origins bool) error {
	switch format {
	case "json":
		return r.writeJSON(w)
	case "env":
		return r.writeEnv(w, origins)
	case "command":
		return r.writeCommand(w, origins)
	}
	return r.writeTable(w)
}

// etcds lists etcd's settings, or its config file where that alone counts.
func (r *Resolved) etcds() []Setting {
	if r.ConfigFile != "" {
		return []Setting{r.configFile}
	}
	return r.Settings
}

// shown is a setting's value as it may be printed.
func (s Setting) shown() string {
	if s.Secret {
		return redacted
	}
	return hide(s.Value)
}

func (s Setting) origin() string { return string(s.Origin) + " " + s.Source }

func (r *Resolved) writeTable(w io.Writer) error {
	rows := slices.Concat(r.etcds(), r.own)
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "every setting is etcd's default")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SETTING\tVALUE\tORIGIN")
	for _, s := range rows {
		value := s.shown()
		if value == "" || strings.ContainsAny(value, "\t\n\r") {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", s.Name, value, s.origin())
	}
	return tw.Flush()
}

// printed is a setting in JSON.
type printed struct {
	Name     string `json:"name"` // etcd's flag, or the variable of one of ours
	Variable string `json:"variable"`
	Value    string `json:"value"` // "(redacted)" of a secret
	Origin   Origin `json:"origin"`
	Source   string `json:"source"`
	Secret   bool   `json:"secret,omitempty"`
}

func (r *Resolved) writeJSON(w io.Writer) error {
	out := struct {
		Name     string    `json:"name"`
		DataDir  string    `json:"dataDir"`
		Settings []printed `json:"settings"`
		Notices  []string  `json:"notices"`
	}{r.Name, r.DataDir, []printed{}, append([]string{}, r.Notices...)}
	for i, s := range slices.Concat(r.etcds(), r.own) {
		variable := s.Name
		if i < len(r.etcds()) {
			variable = envName(s.Name)
		}
		out.Settings = append(out.Settings, printed{s.Name, variable, s.shown(), s.Origin, s.Source, s.Secret})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
