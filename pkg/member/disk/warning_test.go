package disk

import (
	"strings"
	"testing"
)

func TestWarning(t *testing.T) {
	const (
		mi = int64(1) << 20
		gi = 1 << 30
	)
	sound := situation{dir: "/d", space: Space{Total: 20 * gi, Available: 10 * gi, Inodes: 1e6, FreeInodes: 9e5}, db: 200 * mi, size: Default, held: Default}
	for _, tc := range []struct {
		name   string
		change func(*situation)
		level  severity
		want   []string // parts of the text
	}{
		{"plenty", func(s *situation) {}, fine, nil},
		{"exactly a tenth", func(s *situation) { s.space.Available = 2 * gi }, fine, nil},
		{"less than a tenth", func(s *situation) { s.space.Available = 2*gi - 1 }, low,
			[]string{"low disk space: 2.0 GiB of 20 GiB available in /d, less than a tenth; delete", "etcd-node ctl compact", "etcd-node ctl defrag"}},
		{"twice the database", func(s *situation) { s.db = 5 * gi }, fine, nil},
		{"less than twice the database", func(s *situation) { s.db = 5*gi + 1 }, low, []string{"low disk space: 10 GiB of 20 GiB available in /d, less than twice the database (5.0 GiB)"}},
		{"no room for the reserve", func(s *situation) { s.held, s.space.Available = 0, 500*mi }, noReserve,
			[]string{"500 MiB of 20 GiB", "no room for the reserve of 192 MiB, which needs 512 MiB", "ETCD_NODE_DISK_RESERVE=0"}},
		{"reserve about to be made", func(s *situation) { s.held, s.space.Available = 0, 600*mi; s.space.Total = 1024 * mi }, fine, nil},
		{"released", func(s *situation) { s.held, s.released, s.space.Available = 0, true, 150*mi }, full,
			[]string{"disk full: the reserve of 192 MiB is released, now 150 MiB of 20 GiB available in /d; delete", "made again when 512 MiB are available"}},
		{"released, freed", func(s *situation) { s.held, s.released = 0, true }, recovering, []string{"the disk was full: the reserve of 192 MiB is released", "now 10 GiB of 20 GiB"}},
		{"no reserve wanted, full", func(s *situation) { s.size, s.held, s.space.Available = 0, 0, 127*mi }, full,
			[]string{"disk full: 127 MiB of 20 GiB available in /d, etcd needs 128 MiB to start and to go on; delete"}},
		{"no reserve wanted, enough", func(s *situation) { s.size, s.held = 0, 0 }, fine, nil},
		{"few inodes", func(s *situation) { s.space.FreeInodes = 999 }, low, []string{"free inodes in /d: 999"}},
		{"inodes not counted", func(s *situation) { s.space.Inodes, s.space.FreeInodes = 0, 0 }, fine, nil},
		{"nothing left", func(s *situation) { s.held, s.released, s.space.Available = 0, true, 0 }, full, []string{"now 0 B of 20 GiB"}},
	} {
		s := sound
		tc.change(&s)
		level, text := s.warning()
		if level != tc.level || (text == "") != (level == fine) {
			t.Errorf("%s: level %d, want %d: %q", tc.name, level, tc.level, text)
		}
		for _, part := range tc.want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q is not in %q", tc.name, part, text)
			}
		}
		if strings.ContainsAny(text, "\n\r") || len(text) > 400 {
			t.Errorf("%s: %d bytes: %q", tc.name, len(text), text)
		}
	}
}

func TestSizeOn(t *testing.T) {
	for _, tc := range []struct{ size, total, want int64 }{
		{Default, 20 << 30, Default},
		{Default, 1000 << 20, Default},
		{Default, 500 << 20, 100 << 20}, // a fifth
		{Default, 400 << 20, Min},
		{Default, 400<<20 - 5, 0}, // a fifth cannot hold a segment
		{0, 20 << 30, 0},
		{1 << 40, 20 << 30, 4 << 30},
	} {
		if got := sizeOn(tc.size, tc.total); got != tc.want {
			t.Errorf("sizeOn(%d, %d) = %d, want %d", tc.size, tc.total, got, tc.want)
		}
	}
}
