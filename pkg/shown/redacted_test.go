package shown

import "testing"

func TestRedacted(t *testing.T) {
	for text, want := range map[string]string{
		"http://10.0.0.1:2380":     "http://10.0.0.1:2380",
		"http://u:p@10.0.0.1:2380": "http://(redacted)@10.0.0.1:2380",
		"http://u@h:1":             "http://(redacted)@h:1",
		"http://u:@h:1":            "http://(redacted)@h:1",
		"http://u:p@ss@h:1":        "http://(redacted)@h:1",
		"http://u:p/s?s#@h:1":      "http://(redacted)@h:1",
		"http://u:p:/s@h:1":        "http://(redacted)@h:1",
		"http://u:p,s@h:1":         "http://(redacted)@h:1",
		`invalid value "http://u:p\"s@h": no port in "u:p"@h`:     `invalid value "http://(redacted)@h": no port in "u:p"@h`,
		"a=http://u:p@h:1,b=http://v:q@i:1,c=http://j:1":          "a=http://(redacted)@h:1,b=http://(redacted)@i:1,c=http://j:1",
		"a=http://h:1,b=http://v:q@i:1":                           "a=http://h:1,b=http://(redacted)@i:1",
		"http://[fd00::1]:2380 and unix://x:1":                    "http://[fd00::1]:2380 and unix://x:1",
		"http://h:1 needs more; ask root@example.com (see a://b)": "http://h:1 needs more; ask root@example.com (see a://b)",
		`parse "http://u:pw@h:1"`:                                 `parse "http://(redacted)@h:1"`,
		`["http://h:1","root@example.com","http://u:p@i:1"]`:      `["http://h:1","root@example.com","http://(redacted)@i:1"]`,
		"unix://a@b":        "unix://(redacted)@b",
		"http://u:ab:/@h:1": "http://(redacted)@h:1",
		"http://u:/@h:1":    "http://(redacted)@h:1",
		"//u:p@h:2380":      "//(redacted)@h:2380",
		"http://h/a@b":      "http://h/a@b",
		"https://proxy.example/x/@v/list and http://[::1]:1/@": "https://proxy.example/x/@v/list and http://[::1]:1/@",
		`bad http://h:1/x;mail=root@example.com http://u:p@i`:  `bad http://h:1/x;mail=root@example.com http://(redacted)@i`,
	} {
		if got := Redacted(text); got != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}
