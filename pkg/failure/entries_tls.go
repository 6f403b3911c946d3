package failure

// seeCertificate shows what is in a certificate, and from what a member would
// serve with.
var seeCertificate = Step{"see which files are set and what they hold", []string{
	"etcd-node config",
	"openssl x509 -noout -subject -issuer -dates -ext subjectAltName,extendedKeyUsage -in TLS-FILE",
}}

// putInPlace is how to replace a certificate so that nobody reads half of it.
const putInPlace = "put the new certificate and its key under the same names (write each under another name and rename it); etcd reads them at the next handshake, and nothing has to be restarted"

// entriesTLS: certificates, keys, authorities and revocation lists.
var entriesTLS = []Entry{
	{
		ID: IDTLSFile, Class: Transient, Waits: true,
		Sign:  "a certificate, a key or a trusted CA that is set is missing, empty, not readable for the service user, or not what it should be, or a key belongs to another certificate",
		Cause: "etcd cannot load a certificate, a key or a trusted CA",
		Means: "The file has not been written yet, is being written, is of another kind, or its name is mistyped; or Go's parser refuses it, as a certificate with a negative serial number. Every certificate in the file of a trusted CA must be one that can be parsed. etcd reads certificates and keys at each handshake, and the trusted CAs only when it starts: so a running member serves those that are connected and refuses new connections until the file is good again, or, with a CA, would not start again.",
		Acts:  "Before a start it waits under systemd, for ever or for ETCD_NODE_START_TIMEOUT, with nothing begun, and starts as soon as the files are good; it notices when they are put there, a symlink is changed, or rights are given. Without systemd it ends, as etcd does. A running member goes on, and the file is shown.",
		Next: []Step{
			{"the status names the file, the reason and the setting; put the right file there, readable for the user etcd", []string{"etcd-node status", "ls -lL TLS-FILE", "openssl x509 -noout -subject -dates -in TLS-FILE"}},
			{"or correct the path in /etc/default/etcd", []string{"etcd-node config", "systemctl restart etcd"}},
		},
		Never: "Never take the TLS settings out to get the member up: it would speak http, and the others would not.",
	},
	{
		ID: IDTLSCRL, Class: Operator, Lives: true,
		Sign:  "a revocation list that is set is missing, empty, not readable for the service user, or not in DER",
		Cause: "etcd cannot read a revocation list: it refuses whoever shows a certificate",
		Means: "etcd reads the list when somebody shows a certificate, and not when it starts. Towards clients, those that show none are served. Towards the peers, the others cannot connect to this member; it still connects to them.",
		Acts:  "The member starts and goes on, as stock etcd does, and the file is shown. It never waits for the list.",
		Next: []Step{
			{"put the list there, in DER and readable for the user etcd; it counts from the next handshake, and nothing has to be restarted", []string{"openssl crl -in LIST.pem -outform der -out TLS-FILE.new", "mv TLS-FILE.new TLS-FILE", "etcd-node status"}},
			{"or correct the path in /etc/default/etcd", []string{"etcd-node config", "systemctl restart etcd"}},
		},
		Never: "Never take the setting out to let a client in: whoever was revoked gets in, too.",
	},
	{
		ID: IDTLSExpired, Class: Operator, Lives: true,
		Sign:  "the time of this machine is after the end of a certificate, or before its beginning",
		Cause: "a certificate has expired, or is not valid yet",
		Means: "Whoever verifies the certificate refuses the connection. With the certificate towards the peers this member cannot join, or loses its peers with the next connection; the one towards clients keeps nobody from the peers. Connections that stand go on. If the clock of this machine is wrong, the certificates of all others look expired to it.",
		Acts:  "It starts and serves as far as others let it, and shows the file and its date. It never waits because of it: with a wrong clock no member would start.",
		Next: []Step{
			{"is the clock right?", []string{"timedatectl"}},
			{putInPlace, nil},
			seeCertificate,
		},
		Never: "Never set the clock back to make it valid: leases, logs and the certificates of all others go by it.",
	},
	{
		ID: IDTLSExpires, Class: Operator, Lives: true,
		Sign:  "a certificate has less than 30 days, or less than a quarter of its life, before it",
		Cause: "a certificate expires soon",
		Means: "When it has expired, new connections are refused. What renews certificates on this machine should have done so by now: programs that do it renew after two thirds of a certificate's life.",
		Acts:  "It shows the file and the days that are left. When the file is replaced, this goes away by itself.",
		Next: []Step{
			{putInPlace, nil},
			seeCertificate,
		},
	},
	{
		ID: IDTLSUnfit, Class: Operator, Lives: true,
		Sign:  "the peer certificate does not verify against the peers' trusted CA, lacks a key usage, or is not for the host in this member's peer URL",
		Cause: "the peer certificate does not fit: the other members are likely to refuse it",
		Means: "etcd loads the certificate and does not look at it any further. The other members refuse it when they next connect. Connections that stand go on, so this may come to light only at the next restart of a member. The status says in which way it does not fit.",
		Acts:  "The member goes on. A new cluster is not begun with it: then it is a problem of the configuration (exit code 78).",
		Next: []Step{
			{"have it issued for the host in the peer URL, with extendedKeyUsage = serverAuth, clientAuth, by the CA in ETCD_PEER_TRUSTED_CA_FILE; then " + putInPlace, nil},
			seeCertificate,
		},
	},
	{
		ID: IDTLSCAChanged, Class: Operator, Lives: true,
		Sign:  "the file of a trusted CA holds something else than when this member started",
		Cause: "the file of a trusted CA has changed since etcd read it; it counts from the next restart",
		Means: "etcd reads the trusted CAs once, when it starts, but certificates at each handshake. Until this member is restarted it refuses whoever shows a certificate of a CA that is new in the file, and lets in whoever shows one of a CA that is gone from it.",
		Acts:  "It serves with the CAs that it has read. It does not restart the member by itself.",
		Next: []Step{
			{"on one machine after the other, and on to the next only when all members are connected again", []string{"systemctl restart etcd", "etcd-node status"}},
		},
		Never: "Never replace a CA in one step: first add the new one to the file on all machines and restart them, then replace the certificates, then take the old one out.",
	},
}
