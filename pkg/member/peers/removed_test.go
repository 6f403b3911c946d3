package peers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whoever says 403 on the way to a member has not removed anybody; a member of
// the cluster that does not list this one has.
func TestRemoved(t *testing.T) {
	const cluster, own = "cdf818194e3a8c32", 0xa
	answers := func(status int, id, list string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id != "" {
				w.Header().Set("X-Etcd-Cluster-ID", id)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, list)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	const with, without = `[{"id":10},{"id":11}]`, `[{"id":11}]`
	gone := listen(t)
	gone.Close()
	var (
		says    = answers(200, cluster, without)
		denies  = answers(200, cluster, with)
		proxy   = answers(403, "", "Forbidden")
		pretend = answers(403, cluster, without)
		other   = answers(200, "beef", without)
		young   = answers(200, cluster, "[]")
		cut     = answers(200, cluster, "[")
		down    = "http://" + gone.Addr().String()
	)
	for name, tc := range map[string]struct {
		urls [][]string
		said string // "" = removed
	}{
		"a member says so":              {[][]string{{says}}, ""},
		"one of three":                  {[][]string{{down}, {denies}, {says}}, ""},
		"at its second URL":             {[][]string{{proxy, says}}, ""},
		"a proxy":                       {[][]string{{proxy}}, "is not an etcd peer port (HTTP 403)"},
		"a proxy with the header":       {[][]string{{pretend}}, "is not an etcd peer port (HTTP 403)"},
		"a member lists it":             {[][]string{{denies}}, "127.0.0.1 lists this member"},
		"another cluster":               {[][]string{{other}}, "127.0.0.1 belongs to another cluster, beef"},
		"a member without a list":       {[][]string{{young}}, "lists no members yet"},
		"a list that is cut short":      {[][]string{{cut}}, "its list of members cannot be read"},
		"under another scheme":          {[][]string{{strings.Replace(says, "http:", "https:", 1)}}, "speaks http, and not what its peer URL says"},
		"nobody answers":                {[][]string{{down}}, "connection refused"},
		"nobody to ask":                 {nil, "-"},
		"a unix socket is its member's": {[][]string{{"unix://a:1"}}, ""},
		"all on unix sockets":           {[][]string{{"unix://a:1"}, {"unixs://b:1", "unix://b:2"}}, ""},
		"one of them is to be asked":    {[][]string{{"unix://a:1"}, {denies}}, "127.0.0.1 lists this member"},
		"and does not answer":           {[][]string{{down}, {"unix://a:1"}}, "connection refused"},
		"and says so":                   {[][]string{{"unix://a:1"}, {says}}, ""},
		"a peer with both":              {[][]string{{"unix://a:1", denies}}, "127.0.0.1 lists this member"},
		"a peer with both, otherwise":   {[][]string{{denies, "unix://a:1"}}, "127.0.0.1 lists this member"},
	} {
		var others []Peer
		for _, urls := range tc.urls {
			others = append(others, Peer{URLs: urls})
		}
		yes, said := NewClient(nil, nil).Removed(t.Context(), others, cluster, own)
		text := strings.Join(said, "; ")
		switch {
		case yes != (tc.said == ""):
			t.Errorf("%s: removed: %v, said %q", name, yes, text)
		case tc.said != "" && tc.said != "-" && !strings.Contains(text, tc.said):
			t.Errorf("%s: %q, want %q", name, text, tc.said)
		case len(said) > len(others):
			t.Errorf("%s: %q", name, said)
		}
	}
}
