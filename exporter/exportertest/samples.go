package exportertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

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
