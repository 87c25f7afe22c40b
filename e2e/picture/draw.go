package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Sizes in pixels.
const (
	column = 50 // width of one of Grafana's 24 columns
	row    = 34 // height of one of its rows
	gap    = 4  // half of what is between panels
	top    = 34 // the title
)

var colors = []string{"#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#b877d9", "#e02f44"}

// draw writes the dashboard as SVG.
func draw(w io.Writer, d dashboard, lines [][]series, from time.Time, last time.Duration) error {
	height := 0
	for _, p := range d.Panels {
		height = max(height, p.GridPos.Y+p.GridPos.H)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+
		"\n"+`<rect width="100%%" height="100%%" fill="#111217"/>`+"\n", 24*column, height*row+top)
	text(&b, 10, 22, "#fff", 15, "start", d.Title)
	text(&b, 24*column-10, 22, "#aaa", 11, "end", "the last "+strings.TrimSuffix(last.String(), "0s"))
	for i, p := range d.Panels {
		box := box{
			x: float64(p.GridPos.X*column + gap), y: float64(p.GridPos.Y*row + gap + top),
			w: float64(p.GridPos.W*column - 2*gap), h: float64(p.GridPos.H*row - 2*gap),
		}
		fmt.Fprintf(&b, `<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" fill="#181b1f" stroke="#333"/>`+"\n",
			box.x, box.y, box.w, box.h)
		text(&b, box.x+8, box.y+16, "#ddd", 12, "start", p.Title)
		if p.Type == "stat" {
			stat(&b, box, p, lines[i])
		} else {
			chart(&b, box, p.FieldConfig.Defaults.Unit, lines[i], from, last)
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

type box struct{ x, y, w, h float64 }

func text(b *strings.Builder, x, y float64, color string, size int, anchor, content string) {
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" fill="%s" font-size="%d" text-anchor="%s">`, x, y, color, size, anchor)
	_ = xml.EscapeText(b, []byte(content)) // a Builder takes everything
	b.WriteString("</text>\n")
}

// stat writes the last value of the first line.
func stat(b *strings.Builder, box box, p panel, lines []series) {
	shown := "no data"
	if len(lines) > 0 && len(lines[0].points) > 0 {
		value := lines[0].points[len(lines[0].points)-1].value
		shown = spell(value, p.FieldConfig.Defaults.Unit)
		for _, m := range p.FieldConfig.Defaults.Mappings {
			if option, ok := m.Options[fmt.Sprint(value)]; ok {
				shown = option.Text
			}
		}
	}
	text(b, box.x+box.w/2, box.y+box.h/2+18, "#73bf69", 26, "middle", shown)
}

// chart draws lines over time.
func chart(b *strings.Builder, box box, unit string, lines []series, from time.Time, last time.Duration) {
	most := 0.0
	for _, s := range lines {
		for _, p := range s.points {
			most = max(most, p.value)
		}
	}
	if most == 0 {
		most = 1
	}
	left, bottom, width, height := box.x+58, box.y+box.h-48, box.w-70, box.h-76
	for n := range 3 {
		share := float64(n) / 2
		y := bottom - share*height
		fmt.Fprintf(b, `<path d="M%.0f %.0fh%.0f" stroke="#333"/>`+"\n", left, y, width)
		text(b, left-5, y+4, "#aaa", 10, "end", spell(share*most, unit))
		at := from.Add(time.Duration(share * float64(last)))
		text(b, left+share*width, bottom+13, "#aaa", 10, "middle", at.UTC().Format("15:04"))
	}
	legend, under := left, box.y+box.h-20
	for i, s := range lines {
		color := colors[i%len(colors)]
		var path strings.Builder
		pen := "M"
		for _, p := range s.points {
			x := left + (p.at-float64(from.Unix()))/last.Seconds()*width
			fmt.Fprintf(&path, "%s%.0f %.0f", pen, x, bottom-max(0, p.value)/most*height)
			pen = "L"
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.3"/>`+"\n", path.String(), color)
		needs := 6.2*float64(len(s.legend)) + 10
		if legend+needs > box.x+box.w && legend > left {
			legend, under = left, under+13
		}
		text(b, legend, under, color, 10, "start", s.legend)
		legend += needs
	}
}

// spell writes a value as Grafana does, more or less.
func spell(value float64, unit string) string {
	switch size := math.Abs(value); {
	case unit == "percentunit":
		return fmt.Sprintf("%.0f %%", 100*value)
	case unit == "s" && size >= 86400:
		return fmt.Sprintf("%.1f d", value/86400)
	case unit == "s" && size >= 3600:
		return fmt.Sprintf("%.1f h", value/3600)
	case unit == "s" && size >= 120:
		return fmt.Sprintf("%.0f min", value/60)
	case unit == "s":
		return fmt.Sprintf("%.3g s", value)
	case size >= 1e6:
		return fmt.Sprintf("%.3g M", value/1e6)
	case size >= 1e3:
		return fmt.Sprintf("%.3g k", value/1e3)
	}
	return fmt.Sprintf("%.3g", value)
}
