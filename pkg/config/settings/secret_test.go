package settings

import "testing"

// TestSecret: what goes over the pipe, and how it is shown.
func TestSecret(t *testing.T) {
	for _, tc := range []struct {
		name, value, shown string
		secret             bool
	}{
		{"discovery-password", "a://b@c", Redacted, true},
		{"discovery-user", "root:x", Redacted, true},
		{"discovery-user", "root", "root", false},
		{"name", "a@b", "a@b", false},
		{"advertise-client-urls", "http://h:1", "http://h:1", false},
		{"advertise-client-urls", "http://u:p@h:1", "http://(redacted)@h:1", true},
	} {
		s := Setting{Name: tc.name, Value: tc.value}
		if s.Secret() != tc.secret || s.Shown() != tc.shown {
			t.Errorf("%+v: secret %v, shown %q", s, s.Secret(), s.Shown())
		}
	}
}
