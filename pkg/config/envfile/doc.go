// Package envfile reads an env file as systemd reads EnvironmentFile=.
//
// Commands read /etc/default/etcd themselves when systemd has not done it for
// them, and must then see exactly what the daemon sees. That file is not a
// shell script: nothing is expanded, '#' begins a comment only where a line
// begins, a line with "export" assigns nothing. testdata/corpus holds what
// real systemd (252 and 257 agree) made of each file there; testdata/record.sh
// records it anew.
//
// The one rule that changed over time is the comment that ends in a
// backslash: since systemd 254 it ends with its line, before that it went on.
// [Parse] follows the newer rule and says so in [File.Ignored].
//
// Pure functions: no file is opened here, nothing is kept.
package envfile
