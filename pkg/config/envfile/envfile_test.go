package envfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The corpus was recorded with testdata/record.sh on real systemd.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.env")
	if err != nil || len(files) < 20 {
		t.Fatalf("corpus: %d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(path, ".env") + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			f, err := Parse(data)
			if got := golden(f, err); got != string(want) {
				t.Errorf("systemd:\n%s\nhere:\n%s", want, got)
			}
		})
	}
}

// golden prints a file as testdata/record.sh does.
func golden(f *File, err error) string {
	if err != nil {
		return "refused\n"
	}
	escape := strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	var lines []string
	for _, v := range f.Variables {
		lines = append(lines, v.Name+"="+v.Value)
	}
	slices.Sort(lines)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(escape.Replace(l) + "\n")
	}
	return b.String()
}

func TestLinesAndRemarks(t *testing.T) {
	f, err := Parse([]byte("# one\nA=1\n\nB=\"2\n3\"\nexport C=s3cret\n  D = 5 \\\n6\nnothing\nE-E=x\nA=again\n# back\\\nF='open\n"))
	if err != nil {
		t.Fatal(err)
	}
	wantVars := []Variable{{"A", "again", 11}, {"B", "2\n3", 4}, {"D", "5 6", 7}, {"F", "open\n", 13}}
	if !slices.Equal(f.Variables, wantVars) {
		t.Errorf("variables: %v, want %v", f.Variables, wantVars)
	}
	wantRemarks := []struct {
		line int
		text string
	}{
		{2, "A is set again in line 11, which counts"},
		{6, `assignment to C is ignored; remove "export"`},
		{9, "no assignment"},
		{10, `"E-E" is not the name of a variable`},
		{12, "before 254"},
		{13, "not closed"},
	}
	if len(f.Ignored) != len(wantRemarks) {
		t.Fatalf("remarks: %v", f.Ignored)
	}
	for i, w := range wantRemarks {
		if r := f.Ignored[i]; r.Line != w.line || !strings.Contains(r.Text, w.text) {
			t.Errorf("remark %d: %v, want line %d with %q", i, r, w.line, w.text)
		}
		if strings.Contains(f.Ignored[i].Text, "s3cret") {
			t.Errorf("remark %d quotes a value: %s", i, f.Ignored[i].Text)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		in, reason string
		line       int
	}{
		{"A=1\nB=\x00\n", "NUL", 2},
		{"A=1\n\nB=\xff\n", "UTF-8", 3},
		{"\xff=1\n", "UTF-8", 1},
	} {
		_, err := Parse([]byte(tc.in))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != tc.line || !strings.Contains(err.Error(), tc.reason) {
			t.Errorf("Parse(%q): %v, want line %d, %s", tc.in, err, tc.line, tc.reason)
		}
	}
}

// FuzzParse: no input makes the parser panic, names are names, lines lie in
// the file, and what was read, written in quotes, reads the same again.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/corpus/*.env")
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		lines := 1 + strings.Count(string(data), "\n")
		var again strings.Builder
		quote := strings.NewReplacer("\\", `\\`, `"`, `\"`, "`", "\\`", "$", `\$`)
		for _, v := range file.Variables {
			if !identifier(v.Name) || v.Line < 1 || v.Line > lines {
				t.Errorf("%+v in a file of %d lines", v, lines)
			}
			again.WriteString(v.Name + `="` + quote.Replace(v.Value) + "\"\n")
		}
		for _, r := range file.Ignored {
			if r.Line < 1 || r.Line > lines {
				t.Errorf("%+v in a file of %d lines", r, lines)
			}
		}
		second, err := Parse([]byte(again.String()))
		if err != nil || golden(second, nil) != golden(file, nil) {
			t.Errorf("%q: %v, %v; again: %v", data, file.Variables, err, second)
		}
	})
}
