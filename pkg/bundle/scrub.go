package bundle

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

const redacted = "(redacted)"

var (
	// privateKey is a key in PEM, also where its line breaks are written as \n, and one
	// that is cut off.
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`)
	// named is a value behind a name that says what it is, as in a file of variables, on a
	// command line, in JSON, in YAML, in a header.
	named = regexp.MustCompile(`(?i)([\w.-]*(?:passw(?:or)?d|passphrase|secret|credential|authorization|bearer|api-?_?key|access-?_?key|token)[\w.-]*\\?["']?\s*[=: ]\s*)(\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|(?:(?:basic|bearer)\s+)?[^\s,;"']+)`)
	// harmless are names that look as if they were, and whose values are not: they are
	// looked for by who reads a report.
	harmless = regexp.MustCompile(`(?i)^[^=: ]*(?:initial[-_]cluster[-_]token|auth[-_]token(?:[-_]ttl)?|token[-_]ttl)\\?["']?\s*[=: ]`)
	// user is a user with his password.
	user = regexp.MustCompile(`(?i)([\w-]*user\\?["']?\s*[=: ]\s*\\?["']?)([^\s:"'=/]+):([^\s"',]+)`)
	// jwt is a signed token, which lets in whoever has it.
	jwt = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`)
)

// Scrub takes secrets out of a text, whatever it is of: passwords in URLs, private keys,
// tokens, and what stands behind a name that says that it is secret. It rather takes too
// much.
func Scrub(text string) string {
	text = privateKey.ReplaceAllString(text, "(a private key, "+redacted+")")
	text = shown.Redacted(text)
	text = jwt.ReplaceAllString(text, redacted)
	text = named.ReplaceAllStringFunc(text, func(match string) string {
		if harmless.MatchString(match) {
			return match
		}
		m := named.FindStringSubmatch(match)
		return m[1] + redacted
	})
	return user.ReplaceAllString(text, "${1}${2}:"+redacted)
}

// Log is lines of the journal without what clients store: of lines in JSON, etcd's
// and ours, the fields that can hold none of it; etcd has whole requests in others.
func Log(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		at := strings.IndexByte(line, '{')
		var fields map[string]any
		if at < 0 || json.Unmarshal([]byte(line[at:]), &fields) != nil {
			if at >= 0 { // the rest of a line that was cut, or of another format
				line = line[:at] + redacted
			}
			b.WriteString(line + "\n")
			continue
		}
		b.WriteString(line[:at] + logLine(fields) + "\n")
	}
	return b.String()
}

// first are the fields of a line that all have, in the order in which they are written.
var first = []string{"level", "ts", "logger", "caller", "msg"}

func logLine(fields map[string]any) string {
	caller, _ := fields["caller"].(string)
	logger, _ := fields["logger"].(string)
	free := recorder.IsRequestFree(caller) || strings.HasPrefix(logger, "raft")
	kept := []string{}
	add := func(name string) {
		value, there := fields[name]
		if !there {
			return
		}
		delete(fields, name)
		_, isText := value.(string)
		_, isList := value.([]any)
		_, isObject := value.(map[string]any)
		open := slices.Contains(first, name) && name != "msg" || recorder.IsPlain(name)
		switch {
		case name == "msg" && (logger == "bbolt" || strings.HasPrefix(caller, "embed/serve.go") && !free):
			value = redacted // made of keys
		case name != "msg" && (isText || isList || isObject) && !open && !(free && (name == "error" || name == "cause" || name == "args" || name == "next" || name == "changes")):
			value = redacted
		}
		raw, err := json.Marshal(value)
		if err == nil {
			kept = append(kept, `"`+name+`":`+string(raw))
		}
	}
	for _, name := range first {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		add(name)
	}
	return "{" + strings.Join(kept, ",") + "}"
}
