package settings

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Formats are the names of the formats that Write knows, the default first.
var Formats = []string{"table", "env", "json", "command"}

// Write prints every setting that is not etcd's default, and etcd-node's own
// that are set, in one of the [Formats]. Secrets are redacted in all of them.
// Table and json have each setting's origin; env and command have it as
// comments where origins is true.
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

func (s Setting) origin() string { return string(s.Origin) + " " + s.Source }

func (r *Resolved) writeTable(w io.Writer) error {
	all := slices.Concat(r.Settings, r.Own)
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "every setting is etcd's default")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SETTING\tVALUE\tORIGIN")
	for _, s := range all {
		value := s.Shown()
		if value == "" || strings.ContainsAny(value, "\t\n\r") {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", s.Name, value, s.origin())
	}
	return tw.Flush()
}

// printed is a setting in JSON.
type printed struct {
	Name     string `json:"name"` // etcd's flag, or the variable of one of etcd-node's own
	Variable string `json:"variable"`
	Value    string `json:"value"` // "(redacted)" in place of a secret
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
	add := func(s Setting, variable string) {
		out.Settings = append(out.Settings, printed{s.Name, variable, s.Shown(), s.Origin, s.Source, s.Secret()})
	}
	for _, s := range r.Settings {
		add(s, Variable(s.Name))
	}
	for _, s := range r.Own {
		add(s, s.Name)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
