package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is where a figure is drawn: as a column of points, one per measurement,
// or as a point of a line where kind says what its x is.
type chart struct {
	name  string // of the file, without its extension; "": nowhere
	label string // of the column or line
	x     float64
}

// kind is how the charts of a name look.
type kind struct {
	title, x, y string
	lines       bool // else columns
	logX, logY  bool
}

// kinds are all charts there are, in the order of the page.
var kinds = []struct {
	name string
	kind
}{
	{"gaps-100-1000", kind{title: "Longest gap of puts, 100/1000", y: "seconds", logY: true}},
	{"gaps-1000-5000", kind{title: "Longest gap of puts, 1000/5000", y: "seconds", logY: true}},
	{"answers-100-1000", kind{title: "Slowest answer of 32 clients, 100/1000", y: "seconds", logY: true}},
	{"answers-1000-5000", kind{title: "Slowest answer of 32 clients, 1000/5000", y: "seconds", logY: true}},
	{"throughput", kind{title: "Throughput, three members", x: "clients", y: "per second", lines: true, logX: true}},
	{"start", kind{title: "One member, from fork to READY", x: "database, GB", y: "seconds", lines: true}},
}

// colors of ours and stock etcd, told apart also without colors: filled and open.
var (
	oursColor  = color.RGBA{R: 0x1b, G: 0x6e, B: 0xc2, A: 0xff}
	stockColor = color.RGBA{R: 0xd0, G: 0x55, B: 0x1d, A: 0xff}
)

// point is a figure that is to be drawn.
type point struct {
	chart
	ours, others []float64
}

// draw writes the charts for which there is something, and returns their names.
// Files of others, and of charts without anything, are removed.
func (all results) draw(dir string, table []group) (names []string, err error) {
	points := map[string][]point{}
	for _, g := range table {
		for _, r := range g.rows {
			for _, f := range r.figures {
				if got, ok := all.of(r.line(f)); ok && f.chart.name != "" && len(got.Ours) > 0 {
					points[f.chart.name] = append(points[f.chart.name], point{f.chart, got.Ours, got.Others})
				}
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		path := filepath.Join(dir, k.name+".svg")
		if points[k.name] == nil {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return nil, err
			}
			continue
		}
		svg, err := k.svg(points[k.name])
		if err == nil {
			err = os.WriteFile(path, svg, 0o644)
		}
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", k.name, err)
		}
		names = append(names, k.name)
	}
	return names, nil
}

// svg draws. The same points make the same bytes.
func (k kind) svg(points []point) ([]byte, error) {
	p, err := k.plot(points)
	if err != nil {
		return nil, err
	}
	const width, height = 24 * vg.Centimeter, 12 * vg.Centimeter
	c := vgsvg.New(width, height)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	_, err = c.WriteTo(&b)
	return b.Bytes(), err
}

func (k kind) plot(points []point) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = k.title, k.x, k.y
	p.BackgroundColor = color.White // also where a page is dark
	p.Legend.Top, p.Legend.Left = true, k.lines
	if k.logY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(decades)
	}
	if k.logX {
		p.X.Scale = plot.LogScale{}
	}
	p.Add(plotter.NewGrid())
	add := k.columns
	if k.lines {
		add = k.curves
	}
	if err := add(p, points); err != nil {
		return nil, err
	}
	// Room for the legend.
	if k.logY {
		p.Y.Max *= 2
	} else {
		p.Y.Max *= 1.3
	}
	return p, nil
}

// columns shows every measurement.
func (k kind) columns(p *plot.Plot, points []point) error {
	var labels []string
	var mine, theirs plotter.XYs
	for i, at := range points {
		labels = append(labels, wrap(at.label, 14))
		for side, values := range [][]float64{at.ours, at.others} {
			for j, v := range values {
				// Side by side, so that equal ones are seen.
				x := float64(i) - 0.32 + 0.36*float64(side) + 0.28*(float64(j)+0.5)/float64(len(values))
				xy := plotter.XY{X: x, Y: max(v, 1e-4)}
				if side == 0 {
					mine = append(mine, xy)
				} else {
					theirs = append(theirs, xy)
				}
			}
		}
	}
	for side, xys := range []plotter.XYs{mine, theirs} {
		if len(xys) == 0 {
			continue
		}
		s, err := plotter.NewScatter(xys)
		if err != nil {
			return err
		}
		s.GlyphStyle = glyph(side)
		p.Add(s)
		p.Legend.Add(subjectName(side), s)
	}
	p.NominalX(labels...)
	p.X.Min, p.X.Max = -0.6, float64(len(points))-0.4
	p.X.Tick.Label.Font.Size = vg.Points(8)
	return nil
}

// curves shows medians, and lines from the lowest to the highest.
func (k kind) curves(p *plot.Plot, points []point) error {
	var labels []string
	for _, at := range points {
		if !slices.Contains(labels, at.label) {
			labels = append(labels, at.label)
		}
	}
	var xs []float64
	for n, label := range labels {
		for side := range 2 {
			var xys spread
			for _, at := range points {
				values := at.ours
				if side == 1 {
					values = at.others
				}
				if at.label == label && len(values) > 0 {
					sorted := slices.Sorted(slices.Values(values))
					m := median(sorted)
					xys.XYs = append(xys.XYs, plotter.XY{X: at.x, Y: m})
					xys.YErrors = append(xys.YErrors, struct{ Low, High float64 }{m - sorted[0], sorted[len(sorted)-1] - m})
					if !slices.Contains(xs, at.x) {
						xs = append(xs, at.x)
					}
				}
			}
			if len(xys.XYs) == 0 {
				continue
			}
			line, dots, err := plotter.NewLinePoints(xys.XYs)
			if err != nil {
				return err
			}
			bars, err := plotter.NewYErrorBars(xys)
			if err != nil {
				return err
			}
			dots.GlyphStyle = glyph(side)
			line.Color, bars.Color = dots.Color, dots.Color
			line.Dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}, {vg.Points(8), vg.Points(2), vg.Points(2), vg.Points(2)}}[n%4]
			p.Add(line, dots, bars)
			p.Legend.Add(label+", "+subjectName(side), line, dots)
		}
	}
	slices.Sort(xs)
	p.X.Tick.Marker = plot.ConstantTicks(ticksAt(xs))
	p.Y.Min = 0
	return nil
}

// spread is points with what is around them.
type spread struct {
	plotter.XYs
	plotter.YErrors
}

func subjectName(side int) string { return []string{ours.name, stock.name}[side] }

func glyph(side int) draw.GlyphStyle {
	if side == 0 {
		return draw.GlyphStyle{Color: oursColor, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	}
	return draw.GlyphStyle{Color: stockColor, Radius: vg.Points(3), Shape: draw.RingGlyph{}}
}

// decades are ticks at 1, 2 and 5 of each power of ten.
func decades(low, high float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	return ticks
}

func ticksAt(xs []float64) (ticks []plot.Tick) {
	for _, x := range xs {
		ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', 3, 64)})
	}
	return ticks
}

// wrap breaks a label into lines.
func wrap(s string, width int) string {
	var lines []string
	for word := range strings.FieldsSeq(s) {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= width {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return strings.Join(lines, "\n")
}
