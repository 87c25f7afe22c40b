package exportertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

var (
	actions = []string{
		"create_api_key", "delete_api_key", "login", "logout", "create_notebook", "start_runtime", "stop_runtime",
		"update_organization",
		"grant_role", "create_service_principal", "export_audit_log", "delete_file", "execute_sql", "list_catalogs",
		"invite_user",
	}
	agents = []string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36, like Gecko", "wherobots-python-dbapi/0.9.1",
		`agent "quoted" 1.0`, "",
	}
	ips     = []string{"203.0.113.7", "198.51.100.23", "2001:db8::1", "2001:db8:0:1::42", "not an address", ""}
	regions = []string{"aws-us-west-2", "aws-us-east-1", "aws-eu-west-1", ""}
	names   = []string{
		"daily report", "Straße, Größe & Höhe", "two\nlines", `a "quoted" name`, "日本語のノート", "",
		"comma, separated, name", "carriage\r\nreturn",
		"🛰️ tiles <v2>", " spaces around ",
	}
	clients = []string{"console", "python-sdk", "jdbc", ""}
	chains  = []string{"gateway > api", "console > gateway > api", ""}
)

// tieLength is how many events share a timestamp when a tie was drawn.
const tieLength = 50

// Generate returns n realistic events from from to to, by time and the same for the same arguments. There are
// nulls, quotes, line ends, unicode and IPv6 addresses among them, and ties: runs of events that share a
// timestamp.
func Generate(seed int64, n int, from, to time.Time) []Event {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	events := make([]Event, n)
	step := to.Sub(from) / time.Duration(max(n, 1))
	var t time.Time
	ties := 0
	for i := range events {
		if ties == 0 {
			t = from.Add(time.Duration(i) * step).UTC().Truncate(time.Microsecond)
			if random.IntN(200) == 0 {
				ties = tieLength
			}
		} else {
			ties--
		}
		events[i] = generate(random, t)
	}
	return events
}

func generate(random *rand.Rand, t time.Time) Event {
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	user := random.IntN(50)
	return Event{
		ID:   uuid(random),
		Time: t, Action: pick(actions), UserID: fmt.Sprintf("user-%04d", user),
		UserName:  fmt.Sprintf("user%d@example.com", user),
		UserAgent: pick(agents), SourceIP: pick(ips), ResourceName: pick(names),
		ResourceID:    fmt.Sprintf("res-%08x", random.Uint32()),
		ComputeRegion: pick(regions), ClientChain: pick(chains), SourceClient: pick(clients),
	}
}

func uuid(random *rand.Rand) string {
	a, b := random.Uint64(), random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// Body is an export of rows of about 320 bytes in 12 columns; a share of them has a quoted field, as a user
// agent with a comma does.
func Body(rows int, quoted float64) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString("event_id,event_time,action_name,user_id,user_name,user_agent,source_ip," +
		"resource_name,resource_id,compute_region,client_chain,source_client\r\n")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		agent := "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML like Gecko) Chrome/126.0"
		if rnd.Float64() < quoted {
			agent = `"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like ""Gecko"") Chrome/126"`
		}
		fmt.Fprintf(&b, "%08x-9c0e-4a53-8f0b-%012x,%s,session.create,usr_%020d,someone%03d@example.com,%s,"+
			"203.0.113.%d,notebook-%d,res_%024d,aws-us-west-2,web>api,web-console\r\n",
			i, rnd.Int64N(1<<40), at.Add(time.Duration(i)*time.Millisecond).Format("2006-01-02T15:04:05.000000Z"),
			i%977, i%1000, agent, i%256, i%10000, rnd.Int64N(1<<40))
	}
	return b.Bytes()
}
