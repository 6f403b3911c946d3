package bundle

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config"
	"github.com/etcd-node/etcd-node/pkg/config/envfile"
	"github.com/etcd-node/etcd-node/pkg/shown"
	"github.com/etcd-node/etcd-node/pkg/supervisor/recorder"
)

const redacted = "(redacted)"

var (
	// privateKey is a key in PEM, also where its line breaks are written as \n, and one
	// that is cut off.
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`)
	// named is a value behind a name that says what it is, as in a file of variables, on a
	// command line, in JSON, in YAML, in a header. One that is not quoted goes to the end of
	// the line: it may have blanks in it, and commas; behind a blank it is one word.
	named = regexp.MustCompile(`(?i)([\w.-]*(?:pas?sw(?:or)?d|passphrase|\bpwd|_pwd|_pass\b|--pass|\bpass\b|secret|credential|authorization|bearer|cookie|(?:api|access|private|encryption|signing)[-_]?key|_key\b|token)[\w.-]*\\?["']?(?:[ \t]*[=:][ \t]*|[ \t]+))(\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|(?:(?:basic|bearer|negotiate|digest)\s+)?[^\s,;"']+)`)
	// rest is the same behind "=" or ":" at the end of a line, or before a line that goes on.
	rest = regexp.MustCompile(`(?im)([\w.-]*(?:pas?sw(?:or)?d|passphrase|\bpwd|_pwd|_pass\b|\bpass\b|secret|credential|authorization|bearer|cookie|(?:api|access|private|encryption|signing)[-_]?key|_key\b|token)[\w.-]*[ \t]*[=:][ \t]*)([^"'\s\\{}\[\]](?:[^"\\\n]|\\[^\n]|\\\n)*)`)
	// login is a user and a password before a host, without a scheme.
	login = regexp.MustCompile(`[^\s/@:"'=]+:[^\s/@"']+@([\w.-]+)`)
	// bare is a line of a key, or of a certificate.
	bare = regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{40,}={0,2}$`)
	// harmless are names that look as if they were, and whose values are not: they are
	// looked for by who reads a report.
	harmless = regexp.MustCompile(`(?i)^[^=: ]*(?:initial[-_]cluster[-_]token|auth[-_]token(?:[-_]ttl)?|token[-_]ttl)\\?["']?\s*[=: ]`)
	// user is a user with his password.
	user = regexp.MustCompile(`(?i)([\w-]*user\\?["']?\s*[=: ]\s*\\?["']?)([^\s:"'=/]+):([^\n"']+)`)
	// short are a user with his password, and a password, behind flags of one letter, as of
	// curl and mysql, and the names of keys for Amazon's services.
	short = regexp.MustCompile(`(\s-u[ =]?)[^\s:]+:\S+|(\s-p)[^\s-][^\s]{3,}|\bA(?:KI|SI)A[A-Z0-9]{16}\b`)
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
	text = bare.ReplaceAllString(text, redacted)
	text = short.ReplaceAllString(text, "${1}${2}"+redacted)
	text = login.ReplaceAllString(text, redacted+"@$1")
	text = rest.ReplaceAllStringFunc(text, func(match string) string {
		if harmless.MatchString(match) {
			return match
		}
		return rest.FindStringSubmatch(match)[1] + redacted
	})
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

// Unit is the text of a unit without the values of its Environment=, and without its
// comments, of which nobody knows what they are. Those of etcd stand among the settings,
// and the comments that name a file stay.
func Unit(text string) string {
	return comment.ReplaceAllString(environment.ReplaceAllString(text, "${1}"+redacted), "# "+redacted)
}

var comment = regexp.MustCompile(`(?m)^\s*[#;](?: [^/\n]| ?[^ /\n])[^\n]*$`)

var environment = regexp.MustCompile(`(?m)^(\s*Environment=)(?:[^\n]*\\\n)*[^\n]*$`)

// Env is the text of an env file: the names of its variables, and the values of those
// of etcd that are not secret.
func Env(text string) string {
	file, err := envfile.Parse([]byte(text))
	if err != nil {
		return fmt.Sprintf("(it cannot be read: %v)\n", err)
	}
	var b strings.Builder
	for _, v := range file.Variables {
		value := redacted
		etcds := config.Knows(v.Name) && !secretName.MatchString(v.Name)
		if etcds {
			value = v.Value
		}
		fmt.Fprintf(&b, "%d: %s=%s\n", v.Line, v.Name, value)
	}
	return b.String()
}

// secretName is the name of a setting of etcd's whose value is secret, or may be.
var secretName = regexp.MustCompile(`(?i)PASS|SECRET|USER|CREDENTIAL|AUTH_TOKEN$`)
