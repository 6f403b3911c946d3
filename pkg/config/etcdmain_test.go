package config

import (
	"slices"
	"testing"
)

// etcd logs its command line as it is; here no password is in it.
func TestWithoutSecrets(t *testing.T) {
	got := withoutSecrets([]string{"etcd", "--name", "a", "--discovery-password", "p", "-discovery-user=u:p", "--initial-cluster=a=http://u:p@h:1",
		"--advertise-client-urls", "http://u:p@h:2", "--force-new-cluster", "--pre-vote=true", "--discovery-password=p"})
	want := []string{"etcd", "--name", "a", "--discovery-password", "(redacted)", "-discovery-user=(redacted)", "--initial-cluster=a=http://(redacted)@h:1",
		"--advertise-client-urls", "http://(redacted)@h:2", "--force-new-cluster", "--pre-vote=true", "--discovery-password=(redacted)"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
