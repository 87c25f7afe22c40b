package main

import (
	"fmt"
	"strconv"
	"time"
)

// contender is one way to read an export.
type contender struct {
	title string
	role  string
	args  []string
}

var contenders = []contender{
	{title: "limit: the body copied to nowhere", role: "limit"},
	{title: "this plugin, `schema: raw`", role: "pipeline", args: []string{"-schema", "raw"}},
	{title: "this plugin, `schema: ecs`", role: "pipeline", args: []string{"-schema", "ecs"}},
	{title: "this plugin, `schema: ocsf`", role: "pipeline", args: []string{"-schema", "ocsf"}},
	{title: "`encoding/csv` with `ReuseRecord`, msgpack appended", role: "reuse"},
	{title: "obvious: `encoding/csv`, a map a row, fluent-bit-go's encoder", role: "obvious"},
}

const (
	limit   = 0 // places in contenders
	raw     = 1
	ecs     = 2
	ocsf    = 3
	obvious = 5
)

// against runs a contender once against an export.
func (b *bench) against(c contender, kind string, rows int) (outcome, error) {
	args := append([]string{
		"-endpoint", b.source.endpoint(kind, rows), "-rows", strconv.Itoa(rowsOf(kind, rows)),
		"-anchor", b.source.anchor.Format(time.RFC3339), "-dir", b.scratch,
	}, c.args...)
	return runProcess(c.role, args...)
}

// pipeline compares what reads a response without the engine.
func (b *bench) pipeline() (string, error) {
	sizes := b.plan.sizes
	results := make([][]figures, len(contenders)) // by contender and size
	for i := range results {
		results[i] = make([]figures, len(sizes))
	}
	for range b.plan.runs {
		for s, rows := range sizes {
			for i, c := range contenders {
				o, err := b.against(c, kindPlain, rows)
				if err != nil {
					return "", err
				}
				results[i][s] = append(results[i][s], o)
			}
		}
	}
	head := []string{"one response → msgpack records, without the engine"}
	for _, rows := range sizes {
		head = append(head, count(rows)+" rows: CPU s", "× limit", "of obvious")
	}
	last := len(sizes) - 1
	head = append(head, "bytes a record", "peak MiB at "+count(sizes[0]), "at "+count(sizes[last]))
	t := newTable(head...)
	for i, c := range contenders {
		cells := []string{c.title}
		for s := range sizes {
			f := results[i][s]
			cells = append(
				cells, fmt.Sprintf("%.3f", f.median(cpu)),
				fmt.Sprintf("%.1f", f.over(results[limit][s], cpu)),
				share(f.over(results[obvious][s], cpu)),
			)
		}
		o := results[i][last][0]
		cells = append(
			cells, size(o), fmt.Sprintf("%.0f", results[i][0].median(peak)),
			fmt.Sprintf("%.0f", results[i][last].median(peak)),
		)
		t.row(cells...)
	}
	fmt.Fprintf(&t.Builder, "\nThe limit is what any client pays for receiving the body. The plugin's runs plan, "+
		"fetch, decode, identify, encode, hand over, and save their checkpoint. Unlike the others they remember every "+
		"event of the window in progress, which is most of their memory. `ecs` costs %.2f and `ocsf` %.2f times as "+
		"much as `raw` (%s rows).\n",
		results[ecs][last].over(results[raw][last], cpu),
		results[ocsf][last].over(results[raw][last], cpu), count(sizes[last]))
	return t.String(), nil
}

func share(ratio float64) string {
	if ratio >= 0.95 {
		return fmt.Sprintf("%.2f", ratio)
	}
	return fmt.Sprintf("1/%.1f", 1/ratio)
}

func size(o outcome) string {
	if o.Bytes == 0 {
		return ""
	}
	return strconv.Itoa(o.Bytes / o.Rows)
}

// identityBytes is what an event that must be remembered may cost.
const identityBytes = 40

// kinds are the answers whose memory is measured.
var kinds = []struct{ kind, title string }{
	{kindPlain, "events of 6 h"},
	{kindGzip, "the same, sent compressed unasked"},
	{kindSecond, "events of one second"},
	{kindField, "a field of 8 MiB among them"},
	{kindRound, "a number of rows that may be a limit, so that they are read again as two halves"},
}

// memory shows that the peak does not follow the response, whatever it is like; and what compressed answers cost.
func (b *bench) memory() (string, error) {
	small, large := b.plan.sizes[0], b.plan.sizes[len(b.plan.sizes)-1]
	used := kinds[:b.plan.kinds]
	lows, highs := make([]figures, len(used)), make([]figures, len(used))
	for range b.plan.runs {
		for i, k := range used {
			low, err := b.against(contenders[raw], k.kind, small)
			if err != nil {
				return "", err
			}
			high, err := b.against(contenders[raw], k.kind, large)
			if err != nil {
				return "", err
			}
			lows[i], highs[i] = append(lows[i], low), append(highs[i], high)
		}
	}
	identities := float64(large-small) * identityBytes / (1 << 20)
	t := newTable("this plugin reads in one response", "peak MiB at "+count(small)+" rows", "at "+count(large)+" rows",
		fmt.Sprintf("growth beyond %d bytes an event (%.0f MiB)", identityBytes, identities))
	for i, k := range used {
		low, high := lows[i].median(peak), highs[i].median(peak)
		t.row(k.title, fmt.Sprintf("%.0f", low), fmt.Sprintf("%.0f", high), fmt.Sprintf("%.0f", high-low-identities))
	}
	fmt.Fprintf(&t.Builder, "\nEvents of the window in progress must be remembered, and may cost %d bytes each: the "+
		"last column is what the peak grew by besides (less than nothing where they cost less). Sent compressed, %s "+
		"rows cost %.2f CPU s instead of %.2f (× %.1f), so the plugin asks for `Accept-Encoding: identity`.",
		identityBytes, count(large), highs[1].median(cpu), highs[0].median(cpu), highs[1].over(highs[0], cpu))
	if last := len(used) - 1; used[last].kind == kindRound {
		fmt.Fprintf(&t.Builder, " Read again as two halves they cost %.2f (× %.1f): the rows of the other runs are a few "+
			"less than a round number.", highs[last].median(cpu), highs[last].over(highs[0], cpu))
	}
	return t.String() + "\n", nil
}
