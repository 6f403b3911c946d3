package unit

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is a unit as its file and its drop-ins say. systemd may have loaded an
// older one: it reads them anew at `systemctl daemon-reload`.
type File struct {
	Name    string   // "etcd.service", "etcd@events.service"; not an alias
	Path    string   // of the file that counts
	Hidden  []string // files of the same name that Path outranks
	DropIns []string

	EnvFiles    []EnvFile // EnvironmentFile=, in order: the last one counts
	Environment []Line    // Environment=, an assignment each; an env file counts more
	ExecStart   []Line

	// User, Group and Groups (SupplementaryGroups=) are whose rights the daemon has;
	// "" where the unit does not say.
	User, Group string
	Groups      []string

	// WorkingDirectory is where the daemon works; "" where that is its user's home,
	// or not known.
	WorkingDirectory string

	// The directories, as absolute paths.
	StateDirectory, LogsDirectory, RuntimeDirectory []string

	// Beside are assignments that have nothing to do with settings, and whose absence
	// would be noticed: commands around the daemon, and what it may use.
	Beside []Line

	// Unknown are what could not be read or understood, in sentences. What it sets
	// is not in the rest.
	Unknown []string
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
// unit, or where this user may not read all of it: Unknown then says which file,
// and nothing else is known. It asks nobody: a hardened service cannot reach
// systemd's bus.
func Read(name string) (u File, ok bool) { return read("/", name) }

func read(root, name string) (u File, ok bool) {
	name = canonical(root, name)
	u.Name, u.WorkingDirectory = name, "/"
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
		if err != nil {
			return File{Unknown: []string{fmt.Sprintf("what %s says is not known: %v", name, err)}}, false
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

// canonical is the name that systemd knows a unit by: a link in the load path to
// a unit of another name makes an alias.
func canonical(root, name string) string {
	for _, candidate := range slices.Compact([]string{name, template(name)}) {
		for _, dir := range loadPath {
			path := filepath.Join(root, dir, candidate)
			if _, err := os.Lstat(path); err != nil {
				continue
			}
			target, err := os.Readlink(path)
			base := filepath.Base(target)
			if err != nil || !strings.HasSuffix(base, ".service") || (template(base) == base) != (template(candidate) == candidate) {
				return name
			}
			if prefix, _, isInstance := split(base); isInstance {
				_, instance, _ := split(name)
				return prefix + "@" + instance + ".service"
			}
			return base
		}
	}
	return name
}

// aliases are the other names of a unit.
func aliases(root, name string) (list []string) {
	_, instance, isInstance := split(name)
	for _, dir := range loadPath {
		found, _ := filepath.Glob(filepath.Join(root, dir, "*.service"))
		for _, path := range found {
			alias := filepath.Base(path)
			if prefix, _, yes := split(alias); yes && isInstance && template(alias) == alias {
				alias = prefix + "@" + instance + ".service"
			}
			if target, err := os.Readlink(path); err == nil && alias != name && filepath.Base(target) != filepath.Base(path) &&
				canonical(root, alias) == name && !slices.Contains(list, alias) {
				list = append(list, alias)
			}
		}
	}
	return list
}

// dropIns are a unit's drop-ins in the order in which systemd reads them. Of
// several of one name one is read: that of the unit's own name rather than of an
// alias, of either rather than of all services, and then that of the directory
// which counts most. systemd 252 ranks them so, whatever systemd.unit(5) says.
func dropIns(root, name string) (paths []string) {
	byName := map[string]string{}
	for _, n := range slices.Concat([]string{name}, aliases(root, name), []string{"service"}) {
		for _, dir := range loadPath {
			for _, place := range places(n) {
				found, _ := filepath.Glob(filepath.Join(root, dir, escaped(place)+".d", "*.conf"))
				for _, path := range found {
					base := filepath.Base(path)
					byName[base] = cmp.Or(byName[base], path)
				}
			}
		}
	}
	for _, path := range byName {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return paths
}

// places are whose drop-ins are a unit's under one of its names: its own, its
// template's, those of all units whose names begin as its does up to a dash, the
// longest first.
func places(name string) (list []string) {
	own := slices.Compact([]string{name, template(name)})
	prefix, instance, isInstance := split(name)
	for i, r := range prefix {
		if r != '-' {
			continue
		}
		begin := prefix[:i+1]
		list = slices.Insert(list, 0, begin+".service")
		if isInstance {
			list = slices.Insert(list, 0, begin+"@.service", begin+"@"+instance+".service")
		}
	}
	return append(own, list...)
}

// escaped is a name that filepath.Glob takes as it is: an instance may have a
// backslash in its name.
func escaped(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// take adds what one file says to what the files before it have said.
func (u *File) take(path, text string) {
	var key string
	expanded := func(value string) (string, bool) {
		value, unknown := u.expand(value)
		if unknown != "" {
			u.Unknown = append(u.Unknown, fmt.Sprintf("%s: what %s= sets is not known: it has the specifier %s", path, key, unknown))
		}
		return value, unknown == ""
	}
	list := func(value string) (list []string) {
		for _, word := range words(value) { // and then: a name keeps its backslashes
			if word, ok := expanded(word); ok {
				list = append(list, word)
			}
		}
		return list
	}
	dirs := func(into *[]string, root, value string) {
		if value == "" {
			*into = nil
		}
		for _, word := range list(value) {
			place, _, _ := strings.Cut(word, ":") // PLACE:LINK
			*into = append(*into, filepath.Join(root, place))
		}
	}
	for name, value := range assignments(text) {
		key = name
		switch key {
		case "User":
			u.User, _ = expanded(value)
		case "Group":
			u.Group, _ = expanded(value)
		case "SupplementaryGroups":
			if value == "" {
				u.Groups = nil
			}
			u.Groups = append(u.Groups, list(value)...)
		case "EnvironmentFile":
			if value == "" {
				u.EnvFiles = nil
				continue
			}
			value, ok := expanded(value)
			if !ok {
				continue
			}
			place, optional := strings.CutPrefix(value, "-")
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
			for _, word := range list(value) {
				u.Environment = append(u.Environment, Line{word, path})
			}
		case "ExecStart":
			if value == "" {
				u.ExecStart = nil
				continue
			}
			if value, ok := expanded(value); ok {
				u.ExecStart = append(u.ExecStart, Line{value, path})
			}
		case "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "Nice", "CPUSchedulingPolicy", "CPUAffinity", "CPUQuota", "CPUWeight", "IOSchedulingClass", "IOWeight",
			"MemoryMax", "MemoryHigh", "LimitNOFILE", "LimitMEMLOCK", "LimitNPROC", "OOMScoreAdjust", "TimeoutStartSec", "TimeoutStopSec", "Slice", "LoadCredential", "PassEnvironment", "NetworkNamespacePath", "RootDirectory":
			if value != "" {
				u.Beside = append(u.Beside, Line{key + "=" + value, path})
			}
		case "WorkingDirectory":
			dir, unknown := u.expand(strings.TrimPrefix(value, "-"))
			u.WorkingDirectory = cmp.Or(dir, "/")
			if dir == "~" || unknown != "" {
				u.WorkingDirectory = ""
			}
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
// has use for them; unknown is one that it does not know.
func (u *File) expand(s string) (expanded, unknown string) {
	if !strings.Contains(s, "%") {
		return s, ""
	}
	prefix, instance, _ := split(u.Name)
	host, _ := os.Hostname()
	short, _, _ := strings.Cut(host, ".")
	values := map[string]string{"%%": "%", "%i": instance, "%I": unescaped(instance), "%p": prefix, "%P": unescaped(prefix),
		"%j": prefix[strings.LastIndex(prefix, "-")+1:], "%n": u.Name, "%N": strings.TrimSuffix(u.Name, ".service"), "%H": host, "%l": short,
		"%t": "/run", "%S": "/var/lib", "%L": "/var/log", "%C": "/var/cache", "%E": "/etc", "%T": "/tmp", "%V": "/var/tmp", "%d": "/run/credentials/" + u.Name}
	expanded = specifier.ReplaceAllStringFunc(s, func(found string) string {
		value, known := values[found]
		if !known {
			unknown = found
		}
		return value
	})
	return expanded, unknown
}

var (
	specifier = regexp.MustCompile(`%[%A-Za-z]`) // another character behind it leaves it a per cent sign
	escape    = regexp.MustCompile(`\\x[0-9a-f]{2}`)
)

// unescaped is a part of a unit's name as systemd-escape --unescape has it.
func unescaped(s string) string {
	return escape.ReplaceAllStringFunc(strings.ReplaceAll(s, "-", "/"), func(x string) string {
		n, _ := strconv.ParseUint(x[2:], 16, 8)
		return string([]byte{byte(n)})
	})
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
