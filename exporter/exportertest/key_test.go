package exportertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestKeyIsRepeated(t *testing.T) {
	const key = `wb_a+b<"c'&é=`
	for name, c := range map[string]struct {
		answers Answers
		fault   Fault
		want    string
	}{
		"plain in a page": {
			Answers{},
			Fault{Body: "<p>" + KeyHere + "</p>", BodyType: "text/html"},
			`<p>wb_a+b<"c'&é=</p>`,
		},
		"escaped":        {Answers{}, Fault{Body: KeyHTML}, `wb_a&#43;b&lt;&#34;c&#39;&amp;é=`},
		"upper case":     {Answers{}, Fault{Body: KeyUpper}, `WB_A+B<"C'&É=`},
		"base64":         {Answers{}, Fault{Body: KeyBase64}, `d2JfYStiPCJjJybDqT0=`},
		"URL":            {Answers{}, Fault{Body: KeyURL}, `wb_a%2Bb%3C%22c%27%26%C3%A9%3D`},
		"always":         {Answers{Fault: Fault{Body: KeyHere}}, Fault{}, key},
		"bad row":        {Answers{MiddleLine: "x," + KeyHere}, Fault{}, "event_id\n1\nx," + key + "\n2\n"},
		"behind half":    {Answers{Broken: Broken{At: BehindRow, Text: KeyHere}}, Fault{}, "event_id\n1\n" + key},
		"last line":      {Answers{LastLine: KeyHere + " %d"}, Fault{}, "event_id\n1\n2\n" + key + " 2"},
		"something else": {Answers{LastLine: "{keys}"}, Fault{}, "event_id\n1\n2\n{keys}"},
	} {
		t.Run(name, func(t *testing.T) {
			c.answers.Columns = []string{"event_id"}
			s := New(Options{APIKey: key, BearerToken: key, Clock: func() time.Time { return now }, Answers: c.answers})
			s.Add(at("1", -time.Hour), at("2", -time.Minute))
			for _, headers := range []map[string]string{
				{"X-API-Key": key}, {"X-API-Key": "", "Authorization": "Bearer " + key},
			} {
				s.Fail(c.fault)
				_, text := read(t, s, nil, headers)
				assert.Equal(t, c.want, text)
			}
		})
	}
	s := newServer(Answers{ContentEncoding: KeyHere})
	response, text := read(t, s, nil, nil)
	assert.Equal(t, testKey, response.Header.Get("Content-Encoding"))
	assert.Equal(t, ColumnNames, rows(t, text)[0], "the body is as ever")
}
