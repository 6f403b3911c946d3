package unit

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a unit as its file and its drop-ins say. systemd may have loaded an
// older one: it reads them anew at `systemctl daemon-reload`.
type File struct {
	Name    string   // "etcd.service", "etcd@events.service"
	Path    string   // of the file that counts
	Hidden  []string // files of the same name that Path outranks
	DropIns []string

	EnvFiles    []EnvFile // EnvironmentFile=, in order: the last one counts
	Environment []Line    // Environment=, an assignment each; an env file counts more
	ExecStart   []Line

	// The directories, as absolute paths.
	StateDirectory, LogsDirectory, RuntimeDirectory []string
}

// EnvFile is an EnvironmentFile= of a unit.
type EnvFile struct {
	Path     string
	Optional bool // with a "-": systemd starts the unit without it, too
}

// Line is a value and the file that it stands in.
type Line struct{ Text, Source string }

// loadPath is where systemd looks for units, what counts most first.
var loadPath = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
	"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached", "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
}

// Read finds a unit's files and reads them; ok is false where there is no such
// unit, or none that this user may read. It asks nobody: a hardened service
// cannot reach systemd's bus.
func Read(name string) (u File, ok bool) { return read("/", name) }

func read(root, name string) (u File, ok bool) {
	u.Name = name
	for _, candidate := range slices.Compact([]string{name, template(name)}) {
		for _, dir := range loadPath {
			path := filepath.Join(root, dir, candidate)
			switch info, err := os.Stat(path); {
			case err != nil || info.IsDir():
			case u.Path == "":
				u.Path = path
			case !slices.ContainsFunc(append(u.Hidden, u.Path), func(known string) bool { return sameFile(known, path) }): // /lib may be /usr/lib
				u.Hidden = append(u.Hidden, path)
			}
		}
		if u.Path != "" {
			break
		}
	}
	if u.Path == "" {
		return File{}, false
	}
	u.DropIns = dropIns(root, name)
	for _, path := range slices.Concat([]string{u.Path}, u.DropIns) {
		data, err := os.ReadFile(path)
		if err != nil && path == u.Path {
			return File{}, false
		}
		u.take(path, string(data))
	}
	return u, true
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// split takes a unit's name apart: "etcd@events.service" is an instance,
// "events", of etcd@.service.
func split(name string) (prefix, instance string, isInstance bool) {
	return strings.Cut(strings.TrimSuffix(name, ".service"), "@")
}

// template is the name of the template that a unit is an instance of, or the
// unit's own.
func template(name string) string {
	if prefix, _, yes := split(name); yes {
		return prefix + "@.service"
	}
	return name
}

// dropIns are a unit's drop-ins in the order in which systemd reads them. Of
// several of one name the one in the directory that counts most is read.
func dropIns(root, name string) (paths []string) {
	names := []string{name, template(name)}
	prefix, _, _ := split(name)
	for i, r := range prefix {
		if r == '-' { // a drop-in for all units whose names begin so
			names = append(names, prefix[:i+1]+".service")
		}
	}
	byName := map[string]string{}
	for _, dir := range loadPath {
		for _, n := range append(slices.Compact(names), "service") {
			found, _ := filepath.Glob(filepath.Join(root, dir, escaped(n)+".d", "*.conf"))
			for _, path := range found {
				base := filepath.Base(path)
				byName[base] = cmp.Or(byName[base], path)
			}
		}
	}
	for _, path := range byName {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return paths
}

// escaped is a name that filepath.Glob takes as it is: an instance may have a
// backslash in its name.
func escaped(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// take adds what one file says to what the files before it have said.
func (u *File) take(path, text string) {
	dirs := func(into *[]string, root, value string) {
		if value == "" {
			*into = nil
		}
		for _, word := range words(value) {
			place, _, _ := strings.Cut(u.expand(word), ":") // PLACE:LINK
			*into = append(*into, filepath.Join(root, place))
		}
	}
	lines := func(into *[]Line, values ...string) {
		for _, v := range values {
			*into = append(*into, Line{u.expand(v), path})
		}
	}
	for key, value := range assignments(text) {
		switch key {
		case "EnvironmentFile":
			if value == "" {
				u.EnvFiles = nil
				continue
			}
			place, optional := strings.CutPrefix(u.expand(value), "-")
			found, _ := filepath.Glob(place) // systemd takes patterns
			if len(found) == 0 {
				found = []string{place}
			}
			for _, f := range found {
				u.EnvFiles = append(u.EnvFiles, EnvFile{f, optional})
			}
		case "Environment":
			if value == "" {
				u.Environment = nil
			}
			lines(&u.Environment, words(value)...)
		case "ExecStart":
			if value == "" {
				u.ExecStart = nil
				continue
			}
			lines(&u.ExecStart, value)
		case "StateDirectory":
			dirs(&u.StateDirectory, "/var/lib", value)
		case "LogsDirectory":
			dirs(&u.LogsDirectory, "/var/log", value)
		case "RuntimeDirectory":
			dirs(&u.RuntimeDirectory, "/run", value)
		}
	}
}

// expand puts in what systemd's specifiers stand for, as far as an etcd's unit
// has use for them. An instance's name is taken without its escapes.
func (u *File) expand(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	prefix, instance, _ := split(u.Name)
	full := strings.TrimSuffix(u.Name, ".service")
	host, _ := os.Hostname()
	short, _, _ := strings.Cut(host, ".")
	return strings.NewReplacer("%%", "%", "%i", instance, "%I", instance, "%p", prefix, "%P", prefix, "%n", u.Name, "%N", full,
		"%H", host, "%l", short, "%t", "/run", "%S", "/var/lib", "%L", "/var/log", "%C", "/var/cache", "%E", "/etc").Replace(s)
}

// Values are what the commands of a failure's next steps need to know of a unit
// that is not as the one in deploy/systemd.
func (u File) Values() map[string]string {
	v := map[string]string{}
	if u.Name != Name && u.Name != "" {
		v["unit"] = strings.TrimSuffix(u.Name, ".service")
	}
	if n := len(u.EnvFiles); n > 0 && u.EnvFiles[n-1].Path != EnvFilePath {
		v["env-file"] = u.EnvFiles[n-1].Path
	}
	return v
}
