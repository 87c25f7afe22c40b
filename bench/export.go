package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"time"
)

// export is a rendered export, held in memory: rows over a span from anchor on, at distances that come and go, so that
// no two windows have as many rows but by chance.
type export struct {
	body    []byte
	starts  []int // where each row begins in body, and where the last one ends
	anchor  time.Time
	over    time.Duration // the span
	packed  []byte        // the whole body, compressed; nil unless it is served so
	columns int           // length of the header
}

const header = "event_id,event_time,action_name,user_id,user_name,user_agent," +
	"source_ip,resource_name,resource_id,compute_region,client_chain,source_client\r\n"

// span is the time over which the events of an export are spread, so that they come in one response; days is
// that of a backfill, which comes in windows of max_window.
const (
	span = 6 * time.Hour
	days = 10 * 24 * time.Hour
)

// Half of the user agents have a comma in them and so are quoted, as those of browsers are. The others are
// those of the vendor's libraries.
var agents = []string{
	`"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 ` +
		`Safari/537.36"`,
	`"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36"`,
	`"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"`,
	"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:129.0) Gecko/20100101 Firefox/129.0",
	"wherobots-python-dbapi/0.21.1 python/3.12.4 urllib3/2.2.2 (linux x86_64 glibc 2.39)",
	"Airflow/2.10.1 apache-airflow-providers-wherobots/0.1.12 python-requests/2.32.3",
}

var (
	actions = []string{
		"api_key_created", "job_run_created", "job_run_cancelled", "file_uploaded", "user_login",
		"notebook_deleted", "catalog_table_updated",
	}
	regions   = []string{"aws-us-west-2", "aws-us-east-1", "aws-eu-west-1", ""}
	chains    = []string{"web>gateway>api", "python-dbapi>gateway", "airflow>gateway>api", ""}
	clients   = []string{"web-console", "python-dbapi", "airflow", "sdk"}
	addresses = []string{"203.0.113.%d", "198.51.100.%d", "192.0.2.%d", "2001:db8:85a3::8a2e:370:%x"}
)

// newExport renders an export of rows events, the same for the same arguments. long is the length of one
// field in the middle, 0 for none that is longer than the others.
func newExport(rows int, anchor time.Time, over time.Duration, long int) *export {
	rnd := rand.New(rand.NewPCG(1, uint64(rows)))
	x := &export{anchor: anchor, over: over, starts: make([]int, 0, rows+1), columns: len(header)}
	var b bytes.Buffer
	b.Grow(rows*340 + long + len(header))
	b.WriteString(header)
	for i := range rows {
		x.starts = append(x.starts, b.Len())
		name := fmt.Sprintf("nightly-join-%d", rnd.IntN(10_000))
		if i == rows/2 && long > 0 {
			name = `"` + strings.Repeat(`a ""long"" one, `, long/16) + `"`
		}
		who := rnd.IntN(500)
		fmt.Fprintf(&b, "%08x-9c0e-4a53-8f0b-%012x,%s,%s,usr_%020d,first.last%03d@example.com,"+
			"%s,%s,%s,res_%024d,%s,%s,%s\r\n",
			i, rnd.Int64N(1<<48), x.at(i, rows).Format("2006-01-02T15:04:05.000000Z"), pick(rnd, actions),
			who, who, pick(rnd, agents), fmt.Sprintf(pick(rnd, addresses), rnd.IntN(256)), name, rnd.Int64N(1<<40),
			pick(rnd, regions), pick(rnd, chains), pick(rnd, clients))
	}
	x.body = b.Bytes()
	x.starts = append(x.starts, len(x.body))
	return x
}

// at is when event i of so many happened. Some hours have three times as many events as others.
func (x *export) at(i, rows int) time.Time {
	wave := func(share float64) float64 { return 0.5 * math.Sin(share*waves*2*math.Pi) / (waves * 2 * math.Pi) }
	share := float64(i) / float64(rows)
	return x.anchor.Add(time.Duration((share + wave(share) - share*wave(1)) * float64(x.over)))
}

// waves is how often the events of an export become dense: no whole number, nor does it divide its windows evenly.
const waves = 7.3

func pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }

// pack makes the export one that is served compressed.
func (x *export) pack() error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(x.body); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	x.packed = b.Bytes()
	return nil
}

// window returns the rows from start to end, both included.
func (x *export) window(start, end time.Time) []byte {
	rows := len(x.starts) - 1
	at := func(i int) time.Time { return x.at(i, rows) }
	first := sort.Search(rows, func(i int) bool { return !at(i).Before(start) })
	last := sort.Search(rows, func(i int) bool { return at(i).After(end) })
	return x.body[x.starts[first]:max(x.starts[first], x.starts[last])]
}
