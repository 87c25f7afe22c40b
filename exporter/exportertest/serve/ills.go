package main

import (
	"flag"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// addIlls adds what public reports tell of such endpoints. Each can be had for a while with -episode.
func (o *options) addIlls(flags *flag.FlagSet) {
	const usage = "an `ill` for a while, such as \"Date ahead; size=48; after=1m; lasts=8s; times=3\"; may be given again"
	flags.Func("episode", usage, func(text string) error {
		e, err := exportertest.ParseEpisode(text)
		o.episodes = append(o.episodes, e)
		return err
	})
	flags.Float64Var(&o.chaos.Ill, "ill", 0, "`share` of answers with 200 that are ill, in every way that shows itself")
	flags.Float64Var(&o.odd, "odd", 0, "`share` of events that are odd: dated, filed or written wrongly")
	flags.IntVar(&o.withheld, "withhold", 0, "how many of the past events appear only …")
	flags.DurationVar(&o.withheldFor, "withhold-for", time.Minute, "… so long after the anchor")
	o.addLimits(flags)
	o.addCount(flags)
	o.addBroken(flags)
	o.addRows(flags)
}

func (o *options) addLimits(flags *flag.FlagSet) {
	l, w := &o.answers.Limit, &o.answers.Windows
	flags.IntVar(&l.Rows, "silent-limit", 0, "leave out the rows of an answer beyond so many; 0 = none")
	flags.IntVar(&l.Bytes, "silent-bytes", 0, "leave out the rows of an answer beyond about so many bytes; 0 = none")
	flags.BoolVar(&l.Varies, "silent-varies", false, "each answer has another limit, from a third of -silent-limit on")
	flags.BoolVar(&l.Newest, "silent-newest", false, "and keep the newest")
	flags.BoolVar(&l.Link, "silent-link", false, "and say where the next ones are, in a Link header")
	flags.BoolVar(&w.WholeSeconds, "whole-seconds", false, "cut off the fractions of startTime and endTime")
	flags.StringVar(&l.Total, "silent-total", "", "`name` of a header that says how many rows there are")
	flags.IntVar(&w.TooOld, "too-old", 0, "`status` for a startTime that is older than -too-old-at; 0 = answered")
	flags.DurationVar(&w.TooOldAt, "too-old-at", 0, "0 = what is kept")
	flags.IntVar(&w.Backward, "backward", 0, "`status` for a startTime that is not before endTime; 0 = answered")
	flags.IntVar(&w.Future, "future", 0, "`status` for an endTime in the future; 0 = answered")
	flags.BoolVar(&o.answers.Forgets, "forgets", false, "what is not kept is gone for good")
}

func (o *options) addCount(flags *flag.FlagSet) {
	c := &o.answers.Count
	flags.IntVar(&c.Status, "count-status", 0, "`status` of "+exportertest.CountPath+"; 404 = absent, 0 = it counts")
	flags.BoolVar(&c.HTML, "count-page", false, "it answers a page")
	flags.StringVar(&c.Body, "count-body", "", "it answers this `JSON`")
	flags.IntVar(&c.Off, "count-off", 0, "added to its total")
	flags.DurationVar(&c.Lag, "count-lag", 0, "it counts events so long after the export shows them; negative = before")
	flags.BoolVar(&c.ByID, "count-by-id", false, "it counts what has the same id once")
	flags.DurationVar(&c.Latency, "count-latency", 0, "before it answers")
	flags.DurationVar(&c.LateOver, "count-late-over", 0, "it never counts what appeared so late; 0 = it does")
}

func (o *options) addBroken(flags *flag.FlagSet) {
	a := &o.answers
	choice(flags, &a.Broken.At, "broken", "where the rows end too early", "no", "behind-row", "inside-field")
	const usage = "`text` instead of the other rows: error, page and text are known ones"
	flags.Func("broken-text", usage, func(text string) error {
		a.Broken.Text = text
		if known, ok := brokenTexts[text]; ok {
			a.Broken.Text = known
		}
		return nil
	})
	choice(flags, &a.Framing, "framing", "how an export says where it ends", "framed", "until-close", "http10")
	flags.StringVar(&a.ContentEncoding, "content-encoding", "", "`encoding` that is said; {key} = the client's")
	flags.StringVar(&a.Unsolicited, "unsolicited", "", "`text` sent behind an export, unasked; {key} = the client's")
	flags.Func("date-at", "RFC 3339 `time` that the Date header says, always", func(text string) (err error) {
		a.DateAt, err = time.Parse(time.RFC3339Nano, text)
		return err
	})
}

var brokenTexts = map[string]string{
	"error": exportertest.ErrorBehind, "page": exportertest.PageBehind, "text": exportertest.TextBehind,
}

func (o *options) addRows(flags *flag.FlagSet) {
	a := &o.answers
	flags.BoolVar(&a.CR, "cr", false, "line ends are CR alone")
	flags.BoolVar(&a.Joined, "joined", false, "the header comes again in the middle, with the columns backwards")
	flags.BoolVar(&a.RawQuotes, "raw-quotes", false, "do not quote quotes")
	flags.StringVar(&a.MiddleLine, "middle-line", "", "`line` in the middle of the rows; {key} = the client's")
	flags.StringVar(&a.LastLine, "last-line", "", "`text` behind the rows; %d in it is their number")
	flags.StringVar(&a.Volatile, "volatile", "", "`name` of a further column that differs in each answer")
	flags.StringVar(&a.SharedID, "shared-id", "", "event_id of several rows …")
	flags.Float64Var(&a.SharedIDs, "shared-ids", 1, "… this `share` of them")
	flags.DurationVar(&a.TimeLag, "time-lag", 0, "event_time is so much earlier than what windows are compared with")
}
