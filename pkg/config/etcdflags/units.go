package etcdflags

import (
	"fmt"
	"strings"
	"time"

	humanize "github.com/dustin/go-humanize"
)

// units are those of etcd's whole numbers that count something in one.
// TestUnits holds them against etcd's own words.
var units = map[string]string{
	"auth-token-ttl":                       "seconds",
	"bootstrap-defrag-threshold-megabytes": "megabytes",
	"election-timeout":                     "milliseconds",
	"heartbeat-interval":                   "milliseconds",
	"max-request-bytes":                    "bytes",
	"quota-backend-bytes":                  "bytes",
	"self-signed-cert-validity":            "years",
}

// Unit is the way out where a flag of a whole number was given one with its
// unit behind it ("1s", "8G"); "" where there is none.
func Unit(flag, value string) string { return inUnit(value, units[flag]) }

// inUnit writes a value as a whole number of unit.
func inUnit(value, unit string) string {
	size := map[string]uint64{
		"milliseconds": uint64(time.Millisecond), "seconds": uint64(time.Second),
		"bytes": 1, "megabytes": 1 << 20,
	}[unit]
	var n uint64
	switch d, err := time.ParseDuration(value); {
	case size == 0 || value == "" || strings.ContainsAny(value[len(value)-1:], "0123456789"):
		return ""
	case !strings.HasSuffix(unit, "seconds"):
		if strings.ContainsAny(value[len(value)-1:], "KMGTkmgt") { // as systemd takes it
			value += "iB"
		}
		n, _ = humanize.ParseBytes(value)
	case err == nil && d > 0:
		n = uint64(d)
	}
	if n == 0 || n%size != 0 {
		return ""
	}
	return fmt.Sprintf("write %d", n/size)
}
