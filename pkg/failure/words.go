package failure

import "strings"

// placeholder is a value of the node that steps ask for as {key}.
type placeholder struct {
	key string
	// word stands there where the value is not known. Without a word nothing
	// does, nor the blank before it: the command works, or may, without.
	word string
}

var placeholders = []placeholder{
	{"name", "MEMBER-NAME"},
	{"member-id", "MEMBER-ID"},
	{"peer-urls", "PEER-URLS"},
	{"data-dir", "DATA-DIR"},
	{"initial-cluster", "CLUSTER-LIST"},
	{keyNewToken, "NEW-TOKEN"}, // of a cluster that begins anew
	{"endpoints", "ENDPOINTS"}, // client URLs of the other members
	{"own-endpoint", ""},       // flag of etcdctl: this member's client URL
	{"client-tls", ""},         // flags of etcdctl: what its client URLs ask for
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
	{"MEMBER-ID", "the ID that `etcdctl member list` shows for this member"},
	{"PEER-URLS", "this member's URLs in the cluster list"},
	{"DATA-DIR", "what `etcd-node config` shows as data-dir"},
	{"CLUSTER-LIST", "NAME=PEER-URL of every member, separated by commas"},
	{"ENDPOINTS", "the client URLs of the other members, separated by commas"},
	{"NEW-TOKEN", "any word that this cluster has never had as its token; use the same on every host"},
	{"OTHER-NODE", "a node of the cluster that is configured as this one was"},
	{"COPY", "a copy of this member's data dir"},
	{"SNAPSHOT", "a file that `etcdctl snapshot save` wrote, copied to every host; if there is none, take a copy of the newest member/snap/db and add --skip-hash-check: it lacks only the last writes"},
	{WordCA, "the CA that has signed the members' certificates; leave the flag out if this machine trusts that CA anyway"},
	{WordCert, "a client certificate of the CA in ETCD_TRUSTED_CA_FILE; this member's own certificate is for servers only"},
	{WordKey, "the key of that certificate"},
}

// wordsIn says what the words in a text stand for.
func wordsIn(text string) (said []string) {
	for _, m := range meanings {
		if strings.Contains(text, m.word) {
			said = append(said, m.word+": "+m.is)
		}
	}
	return said
}

// The token of a cluster that begins anew is made from the ID of the one before.
const keyNewToken, keyClusterID = "new-token", "cluster-id"

// replacer puts values for placeholders, and words where there are none.
func replacer(values map[string]string) *strings.Replacer {
	var pairs []string
	for _, p := range placeholders {
		v := values[p.key]
		if id := values[keyClusterID]; p.key == keyNewToken && id != "" {
			v = id + "-restored"
		}
		switch {
		case v != "":
			pairs = append(pairs, "{"+p.key+"}", v)
		case p.word != "":
			pairs = append(pairs, "{"+p.key+"}", p.word)
		default:
			pairs = append(pairs, " {"+p.key+"}", "")
		}
	}
	return strings.NewReplacer(pairs...)
}

// complete gives a command of etcdctl's what it needs on this node: an endpoint
// where it names none, as the one that etcdctl takes then may be none of this
// member's or not be in its certificate; and the files for TLS.
func complete(command string) string {
	if !strings.HasPrefix(command, "etcdctl ") {
		return command
	}
	if !strings.Contains(command, "--endpoints=") {
		command += " {own-endpoint}"
	}
	return command + " {client-tls}"
}
