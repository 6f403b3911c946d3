package failure

import (
	"regexp"
	"slices"
	"strings"

	"github.com/etcd-node/etcd-node/pkg/shown"
)

// placeholder is what steps ask for as {key}.
type placeholder struct {
	key string
	// text makes it of the node's values; "" where they are not known.
	text func(Values) string
	// word stands there where the values are not known. Without a word nothing
	// does, nor the blank before it: the command works, or may, without.
	word string
}

var placeholders = []placeholder{
	{"name", value("name"), "MEMBER-NAME"},
	{"member-id", value("member-id"), "MEMBER-ID"},
	{"peer-urls", value("peer-urls"), "PEER-URLS"},
	{"data-dir", value("data-dir"), "DATA-DIR"},
	{"initial-cluster", value("initial-cluster"), "CLUSTER-LIST"},
	{"endpoints", value("endpoints"), "ENDPOINTS"},
	{"new-token", Values.newToken, "NEW-TOKEN"},
	{"own-endpoint", Values.ownEndpoint, ""}, // flag of etcdctl
	{"client-tls", Values.clientTLS, ""},     // flags of etcdctl
	{"client-user", Values.clientUser, ""},   // flag of etcdctl
	{"comes-back", Values.comesBack, ""},     // what follows a repair
	{"joins", Values.joins, ""},              // what follows `member add`
	{"own-urls", value("own-urls"), "URL"},
}

// Values are a node's own, for the commands of [Failure.Fill], [Steps] and
// [Explain]. They may have been written by the service user and are pasted by
// root, so that each is quoted for the shell. What is not known is left out or
// "".
//
//	name, member-id, cluster-id, data-dir
//	peer-urls, initial-cluster   as the settings of these names have them
//	endpoints                    client URLs of the other members
//	client-url                   this member's own, and what it asks of clients:
//	client-ca, client-cert, client-key   files
//	client-insecure              "true": its certificate is signed by nobody
//	unit, env-file               where they are not etcd and /etc/default/etcd
//	auth                         "true": the cluster asks every client for a user
//	ended                        "true": the daemon has ended with this failure,
//	                             although it may heal
//	case                         which of the entry's Cases it is
//	refused                      what is wrong with the configuration, a line each
//	own-urls                     peer URLs under which this member is reached now
type Values map[string]string

// value returns the func that has the value of a key as a word of a command.
func value(key string) func(Values) string {
	return func(v Values) string { return v.word("", key) }
}

// word is a value of the node as a word of a command, behind a flag's name if
// it has one. One that begins with a dash would be a flag itself, and is not
// known.
func (v Values) word(flag, key string) string {
	if v[key] == "" || strings.HasPrefix(v[key], "-") {
		return ""
	}
	return flag + shown.Quoted(v[key])
}

// newToken is the token of a cluster that begins anew: made from the ID of the
// one before.
func (v Values) newToken() string {
	if v["cluster-id"] == "" {
		return ""
	}
	return shown.Quoted(v["cluster-id"] + "-restored")
}

func (v Values) ownEndpoint() string { return v.word("--endpoints=", "client-url") }

// clientTLS are the flags with which etcdctl gets past this member's TLS.
func (v Values) clientTLS() string {
	if v["client-insecure"] == "true" {
		return "--insecure-transport=false --insecure-skip-tls-verify"
	}
	return strings.Join(slices.DeleteFunc([]string{
		v.word("--cacert=", "client-ca"), v.word("--cert=", "client-cert"), v.word("--key=", "client-key"),
	}, func(flag string) bool { return flag == "" }), " ")
}

// clientUser is the flag without which etcdctl is refused where authentication
// is on. etcd turns it on only when there is a user root with the role root, and
// keeps that user as long as it is on. etcdctl asks for the password.
func (v Values) clientUser() string {
	if v["auth"] == "true" {
		return "--user=root"
	}
	return ""
}

// comesBack is what follows once the cause is gone.
func (v Values) comesBack() string {
	if v["ended"] == "true" {
		return "then start it again"
	}
	return "the member then comes back by itself"
}

// joins is what a node without data does once the cluster has it as a new member.
func (v Values) joins() string {
	if v["ended"] == "true" {
		return "then start this node again, and it joins"
	}
	return "this node then joins by itself, and nothing is left to be done here"
}

// Words that stand in commands for what only the reader knows.
const (
	WordCA   = "CA-FILE"
	WordCert = "CLIENT-CERT"
	WordKey  = "CLIENT-KEY"
)

// meanings are what the words stand for.
var meanings = []struct{ word, is string }{
	{"MEMBER-NAME", "this member's name in the cluster list"},
	{"MEMBER-ID", "the ID that `etcd-node ctl member list` shows for this member"},
	{"PEER-URLS", "this member's URLs in the cluster list"},
	{"DATA-DIR", "what `etcd-node config` shows as data-dir"},
	{"CLUSTER-LIST", "NAME=PEER-URL of every member, separated by commas"},
	{"ENDPOINTS", "the client URLs of the other members, separated by commas"},
	{"NAME", "the name of the member, or of the unit's instance, that the step speaks of"},
	{"ID", "the ID of the member that the step speaks of; `etcd-node ctl member list` shows it"},
	{"URL", "the peer URL of the member that the step speaks of, such as http://192.168.122.8:2380"},
	{"CLIENT-URL", "the client URL of that member, such as http://192.168.122.8:2379"},
	{"HOST", "each host name in the cluster list"},
	{"NEW-TOKEN", "any word that this cluster has never had as its token; use the same on every host"},
	{"OLD-DIR", "the data dir that the pin names"},
	{"UNIT", "the second unit"},
	{"OTHER-NODE", "a node of the cluster that is configured as this one was"},
	{"TLS-FILE", "the file that the status names"},
	{"LIST", "the revocation list as the CA gives it out, in PEM"},
	{"OLD-ADDRESS", "this machine's address in the data, with the prefix length of its network, such as 192.168.122.5/24"},
	{"DEVICE", "the network interface of the new address; `ip -brief address` shows it"},
	{"COPY", "a copy of this member's data dir"},
	{"SNAPSHOT", "a file that `etcd-node ctl snapshot save` wrote, copied to every host; if there is none, take a copy of the newest member/snap/db and add --skip-hash-check: it lacks only the last writes"},
	{"VERSION", "the version to which the cluster goes back, such as 3.6"},
	{"REVISION", "the revision up to which old values are dropped; `etcd-node ctl endpoint status -w fields` shows that of now, which leaves the newest value of each key"},
	{WordCA, "the CA that has signed the members' certificates; leave the flag out if this machine trusts that CA anyway"},
	{WordCert, "a client certificate of the CA in ETCD_TRUSTED_CA_FILE; this member's own certificate is for servers only"},
	{WordKey, "the key of that certificate"},
}

// wordsIn says what the words in commands stand for.
func wordsIn(commands string) (said []string) {
	for _, m := range meanings {
		if regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])` + m.word + `(?:$|[^A-Za-z0-9_-])`).MatchString(commands) {
			said = append(said, m.word+": "+m.is)
		}
	}
	return said
}

// braces are a placeholder.
var braces = regexp.MustCompile(`\{[a-z-]+\}`)

// commands are what of an entry is pasted: its commands, and what its sentences
// have of this node's values. In the rest of these a word such as ID is none to
// fill in.
func (e Entry) commands() string {
	var all []string
	prose := []string{e.Never}
	for _, s := range e.Next {
		all = append(all, s.Run...)
		prose = append(prose, s.Say)
	}
	return strings.Join(append(all, braces.FindAllString(strings.Join(prose, " "), -1)...), "\n")
}

// replacer puts what is known for placeholders, and words for the rest.
func replacer(values map[string]string) *strings.Replacer {
	var pairs []string
	for _, p := range placeholders {
		switch text := p.text(values); {
		case text != "":
			pairs = append(pairs, "{"+p.key+"}", text)
		case p.word != "":
			pairs = append(pairs, "{"+p.key+"}", p.word)
		default:
			pairs = append(pairs, " {"+p.key+"}", "")
		}
	}
	return strings.NewReplacer(pairs...)
}

// toolWords are commands of etcdctl's and etcdutl's, and not only their names.
var toolWords = regexp.MustCompile(`\betcd(c|u)tl (--|alarm|auth|compact|defrag|downgrade|endpoint|get|lease|member|move-leader|put|role|snapshot|user)`)

// inside is a text whose commands of etcdctl and etcdutl are those inside etcd-node: they
// are there on every node, of the right version, and know its certificates.
func inside(text string) string {
	return toolWords.ReplaceAllStringFunc(text, func(s string) string {
		m := toolWords.FindStringSubmatch(s)
		return "etcd-node " + m[1] + "tl " + m[2]
	})
}

// Etcdctl is a command of etcdctl's as it works on the node with these values.
// In the arguments there are no placeholders.
func Etcdctl(args string, values Values) string {
	command := "etcdctl " + args
	return "etcd-node ctl " + args + replacer(values).Replace(strings.TrimPrefix(complete(command), command))
}

// Systemctl is a command of systemctl's for the unit of the node with these
// values.
func Systemctl(verb string, values Values) string {
	return ForUnit("systemctl "+verb+" etcd", values)
}

// complete gives a command of etcdctl's what it needs on this node: an endpoint
// where it names none, as the one that etcdctl takes then may be none of this
// member's or not be in its certificate; the files for TLS; and a user.
func complete(command string) string {
	if !strings.HasPrefix(command, "etcdctl ") {
		return command
	}
	if !strings.Contains(command, "--endpoints=") {
		command += " {own-endpoint}"
	}
	return command + " {client-tls} {client-user}"
}

// What the catalogue says of the unit and its env file.
var (
	unitWords    = regexp.MustCompile(`\b(?:systemctl [a-z-]+(?: --\S+)*|journalctl -u) etcd\b[-@]?`) // another unit has more behind it
	commandWords = regexp.MustCompile(`(?:ETCD_NODE_UNIT=\S+ )?\betcd-node (?:config|check|adopt|status|explain|history|forget|reload|restart|can-stop|bundle|ctl)\b`)
	envFileWords = regexp.MustCompile(`/etc/default/etcd@?`) // that of an instance is no word of ours
)

// ForUnit has a text speak of the unit and the env file of this node. With two
// units on a machine a command for the other one may stop the wrong member.
func ForUnit(text string, v Values) string {
	if unit := v.word("", "unit"); unit != "" {
		text = unitWords.ReplaceAllStringFunc(text, func(s string) string {
			if bare, is := strings.CutSuffix(s, " etcd"); is {
				return bare + " " + unit
			}
			return s
		})
		text = commandWords.ReplaceAllStringFunc(text, func(s string) string {
			if strings.HasPrefix(s, "ETCD_NODE_UNIT=") {
				return s
			}
			return "ETCD_NODE_UNIT=" + unit + " " + s
		})
	}
	if file := v.word("", "env-file"); file != "" {
		text = envFileWords.ReplaceAllStringFunc(text, func(s string) string {
			if strings.HasSuffix(s, "@") {
				return s
			}
			return file
		})
	}
	return text
}
