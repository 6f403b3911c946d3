package unit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/config/envfile"
)

// At is the unit of a name as one file says, without drop-ins: one that systemd does
// not read, because another outranks it, or that was kept.
func At(path, name string) (u File, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	u = File{Name: name, Path: path, WorkingDirectory: "/"}
	u.take(path, string(data))
	return u, nil
}

// Variables are what systemd hands over to the unit's process: Environment=, and over
// it the env files.
func (u File) Variables() (map[string]string, error) {
	variables := map[string]string{}
	for _, line := range u.Environment {
		if name, value, ok := strings.Cut(line.Text, "="); ok {
			variables[name] = value
		}
	}
	for _, f := range u.EnvFiles {
		data, err := os.ReadFile(f.Path)
		if errors.Is(err, os.ErrNotExist) && f.Optional {
			continue
		} else if err != nil {
			return nil, err
		}
		file, err := envfile.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		for _, v := range file.Variables {
			variables[v.Name] = v.Value
		}
	}
	return variables, nil
}

// Runs reports whether the unit starts a program of this name, behind a shell or not.
func (u File) Runs(program string) bool {
	for _, line := range u.ExecStart {
		if filepath.Base(programOf(line.Text)) == program {
			return true
		}
	}
	return false
}

// CommandLine is what the unit runs, with these variables: the program, and its
// arguments as it gets them. Of a shell it is what the shell would run, where that is
// one command without anything that has to be found out first; what is assigned before
// it is put into variables.
func (u File) CommandLine(variables map[string]string) (program string, args []string, err error) {
	if len(u.ExecStart) != 1 {
		return "", nil, fmt.Errorf("%s has %d lines of ExecStart=, and not one", u.Path, len(u.ExecStart))
	}
	list := words(u.ExecStart[0].Text)
	if len(list) == 0 {
		return "", nil, fmt.Errorf("%s: ExecStart= is empty", u.ExecStart[0].Source)
	}
	prefix := list[0][:len(list[0])-len(strings.TrimLeft(list[0], "-@:+!|"))]
	list[0] = strings.TrimLeft(list[0], "-@:+!|")
	if strings.Contains(prefix, "@") && len(list) > 1 { // the second word is what the process calls itself
		list = append(list[:1], list[2:]...)
	}
	if !strings.Contains(prefix, ":") {
		list = expanded(list, variables)
	}
	switch filepath.Base(list[0]) {
	case "sh", "bash", "dash":
		for i, word := range list[1:] {
			if strings.HasPrefix(word, "-") && strings.HasSuffix(word, "c") && len(list) > i+2 {
				program, args, err = inShell(list[i+2], variables)
				if err == nil && isScript(program) {
					err = fmt.Errorf("%s is a script, and what it does cannot be told", program)
				}
				return program, args, err
			}
		}
		return "", nil, fmt.Errorf("%s: %s runs a script, and what it does cannot be told", u.ExecStart[0].Source, list[0])
	}
	if isScript(list[0]) {
		return "", nil, fmt.Errorf("%s: %s is a script, and what it does cannot be told", u.ExecStart[0].Source, list[0])
	}
	return list[0], list[1:], nil
}

var (
	braced = regexp.MustCompile(`\$(\$|\{[A-Za-z_][A-Za-z0-9_]*\})`)
	whole  = regexp.MustCompile(`^\$[A-Za-z_][A-Za-z0-9_]*$`)
)

// expanded puts variables in as systemd does: ${NAME} anywhere, $NAME as a word of its
// own, which then is as many words as its value has.
func expanded(list []string, variables map[string]string) (out []string) {
	for _, word := range list {
		if whole.MatchString(word) {
			out = append(out, words(variables[word[1:]])...)
			continue
		}
		out = append(out, braced.ReplaceAllStringFunc(word, func(found string) string {
			if found == "$$" {
				return "$"
			}
			return variables[found[2:len(found)-1]]
		}))
	}
	return out
}

// inShell is the command that a shell runs for a script of one, such as
// `GOMAXPROCS=$(nproc) exec /usr/bin/etcd --name="$ETCD_NAME"`. What is assigned before
// the command is put into variables; of etcd's it must be known.
func inShell(script string, variables map[string]string) (program string, args []string, err error) {
	list, err := shellWords(script, variables)
	if err != nil {
		return "", nil, err
	}
	for i, word := range list {
		switch name, value, assigns := strings.Cut(word.text, "="); {
		case word.text == "exec":
			continue
		case assigns && !strings.ContainsAny(name, "/-"):
			if word.unknown && strings.HasPrefix(name, "ETCD_") {
				return "", nil, fmt.Errorf("the shell is to find out %s", word.text)
			} else if !word.unknown {
				variables[name] = value
			}
			continue
		case word.unknown:
			return "", nil, fmt.Errorf("the shell is to find out %s", word.text)
		}
		for _, arg := range list[i+1:] {
			if arg.unknown {
				return "", nil, fmt.Errorf("the shell is to find out %s", arg.text)
			}
			args = append(args, arg.text)
		}
		return word.text, args, nil
	}
	return "", nil, fmt.Errorf("no command in %q", script)
}

// shellWord is a word of a script; unknown: it has what only running it tells.
type shellWord struct {
	text    string
	unknown bool
}

var shellVariable = regexp.MustCompile(`^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

// shellWords splits a script of one command. More than one is an error.
func shellWords(script string, variables map[string]string) (list []shellWord, err error) {
	var (
		text            strings.Builder
		unknown, inside bool
		quote           byte
	)
	end := func() {
		if inside {
			list = append(list, shellWord{text.String(), unknown})
		}
		text.Reset()
		unknown, inside = false, false
	}
	for i := 0; i < len(script); i++ {
		c := script[i]
		switch {
		case quote == '\'' && c != '\'':
			text.WriteByte(c)
		case c == '\'' && quote != '"' || c == '"' && quote != '\'':
			inside = true
			if quote == c {
				quote = 0
			} else {
				quote = c
			}
		case c == '\\' && i+1 < len(script):
			i++
			inside = true
			text.WriteByte(script[i])
		case c == '`', strings.HasPrefix(script[i:], "$("):
			length := substitution(script[i:])
			text.WriteString(script[i : i+length])
			i, unknown, inside = i+length-1, true, true
		case c == '$':
			m := shellVariable.FindStringSubmatch(script[i:])
			if m == nil {
				text.WriteByte(c)
				continue
			}
			value, set := variables[m[1]+m[2]]
			i, inside = i+len(m[0])-1, true
			if !set { // the shell may know it
				text.WriteString(m[0])
				unknown = true
				continue
			}
			if quote != 0 {
				text.WriteString(value)
				continue
			}
			for j, field := range strings.Fields(value) { // it is split where it is not quoted
				if j > 0 {
					end()
				}
				inside = true
				text.WriteString(field)
			}
		case quote != 0:
			text.WriteByte(c)
		case c == ' ' || c == '\t' || c == '\n':
			end()
		case strings.IndexByte(";&|<>(){}", c) >= 0:
			return nil, fmt.Errorf("the script has more than one command, or redirects it: %q", script)
		default:
			inside = true
			text.WriteByte(c)
		}
	}
	end()
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed in %q", script)
	}
	return list, nil
}

// substitution is how long a $(…) or `…` at the beginning of a script is.
func substitution(script string) int {
	if script[0] == '`' {
		if end := strings.IndexByte(script[1:], '`'); end >= 0 {
			return end + 2
		}
		return len(script)
	}
	depth := 0
	for i, c := range script {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(script)
}
