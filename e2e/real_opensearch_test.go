package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// startOpenSearch starts a node that has the shipped templates.
func startOpenSearch(dir string) (*siem.OpenSearch, error) {
	o, err := siem.StartOpenSearch(dir)
	if err != nil {
		return nil, err
	}
	return o, putTemplates(o)
}

// putTemplates puts the shipped templates as their README says.
func putTemplates(o *siem.OpenSearch) error {
	readme, err := os.ReadFile(filepath.Join(root, "conf", "elastic", "README.md"))
	if err != nil {
		return err
	}
	puts := regexp.MustCompile(`(?m)^put (\S+) +(\S+\.json)`).FindAllSubmatch(readme, -1)
	if len(puts) < 5 {
		return fmt.Errorf("the README puts only %d templates", len(puts))
	}
	for _, put := range puts {
		if strings.HasPrefix(string(put[1]), "_ingest/") {
			continue // its processors are modules that this node does not have
		}
		text, err := os.ReadFile(filepath.Join(root, "conf", "elastic", string(put[2])))
		if err == nil {
			err = o.Do("PUT", "/"+string(put[1]), text, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bulkFile is a configuration that writes to OpenSearch or Elasticsearch.
type bulkFile struct {
	file, prefix, credential string
	index                    string // what it writes to
	events                   int
	kills                    []float64 // when this share of the events is stored
}

// TestRealOpenSearch kills the engine while events arrive, and when all of them have, and takes its
// disk away, so that everything is sent again: in the end there is one document an event, under the event's id.
func TestRealOpenSearch(t *testing.T) {
	t.Parallel()
	killedOften(t, store(t, startOpenSearch), bulkFile{
		"opensearch.yaml", "OPENSEARCH", "OPENSEARCH_PASSWORD=secret", "wherobots-audit-*", 20_000, []float64{0.3, 1},
	})
}

func killedOften(t *testing.T, o *siem.OpenSearch, f bulkFile) {
	events := lastDay(f.events)
	c := realRun(t, f.file, events, append(at(f.prefix, o.Server), fromLastDay, f.credential)...)
	for _, share := range f.kills {
		want := int(share * float64(len(events)))
		c.killWhen(fmt.Sprintf("%d documents", want), func() bool { return documents(t, o, f.index) >= want })
	}
	c.loseDisk()
	caughtUp := c.caughtUp()
	p := c.start()
	p.until(c.patience, "all hours told", func() bool { return hoursTold(t, o, f.index) >= closedHours(events)-1 })
	p.until(c.patience, "a commit of everything", caughtUp)
	p.stop()

	requireOneDocumentEach(t, o, f.index, events)
	sent := indexed(t, o, f.index)
	require.Greater(t, sent, 2*len(events), "not all was sent again")
	requireNoHourDiffers(t, o, f.index)
	requireNothingGuessed(t, o, f.index)
	for _, word := range []string{"mapper_parsing_exception", "illegal_argument_exception", "strict_dynamic"} {
		assert.NotContains(t, c.rig.log(t), word)
	}
	t.Logf("%d events, %d sent", len(events), sent)
}

// documents counts the audit events that can be found.
func documents(t *testing.T, o *siem.OpenSearch, index string) int {
	t.Helper()
	return countOf(t, o, index, `event.dataset:"wherobots.audit"`)
}

func hoursTold(t *testing.T, o *siem.OpenSearch, index string) int {
	t.Helper()
	return countOf(t, o, index, `wherobots.status.kind:hour`)
}

// countOf counts what a Lucene query finds; nothing where there is no index yet, or one whose shards are not up.
func countOf(t *testing.T, o *siem.OpenSearch, index, query string) int {
	t.Helper()
	refresh(t, o, index)
	var answer struct{ Count int }
	err := o.Do("GET", "/"+index+"/_count?ignore_unavailable=true&q="+url.QueryEscape(query), nil, &answer)
	if err != nil && strings.Contains(err.Error(), "503 Service Unavailable") {
		return 0
	}
	require.NoError(t, err)
	return answer.Count
}

func refresh(t *testing.T, o *siem.OpenSearch, index string) {
	t.Helper()
	require.NoError(t, o.Do("POST", "/"+index+"/_refresh?ignore_unavailable=true", nil, nil))
}

// indexed is how many operations the index has seen, those that were refused as conflicts among them.
func indexed(t *testing.T, o *siem.OpenSearch, index string) int {
	t.Helper()
	var answer struct {
		All struct {
			Primaries struct {
				Indexing struct {
					Total  int `json:"index_total"`
					Failed int `json:"index_failed"`
				}
			}
		} `json:"_all"`
	}
	require.NoError(t, o.Do("GET", "/"+index+"/_stats/indexing", nil, &answer))
	return answer.All.Primaries.Indexing.Total + answer.All.Primaries.Indexing.Failed
}

// storedDocument is a document as a search returns it.
type storedDocument struct {
	ID      string   `json:"_id"`
	Ignored []string `json:"_ignored"`
	Source  struct {
		Timestamp time.Time `json:"@timestamp"`
		Event     struct{ ID, Action, Dataset string }
		User      struct{ ID string }
		Source    struct{ Address, IP string }
	} `json:"_source"`
}

// requireOneDocumentEach requires one document for each event, with the event's id, time and fields, and that no field
// of it was left out of the index.
func requireOneDocumentEach(t *testing.T, o *siem.OpenSearch, index string, events []exportertest.Event) {
	t.Helper()
	refresh(t, o, index)
	byID := make(map[string]exportertest.Event, len(events))
	for _, e := range events {
		byID[e.ID] = e
	}
	found := map[string]bool{}
	scroll(t, o, index, `event.dataset:"wherobots.audit"`, func(d storedDocument) {
		e, known := byID[d.ID]
		require.True(t, known, "%s is no event", d.ID)
		require.False(t, found[d.ID], "%s is stored twice", d.ID)
		found[d.ID] = true
		require.Equal(t, []string{e.ID, e.Action, e.UserID, e.SourceIP}, []string{
			d.Source.Event.ID, d.Source.Event.Action, d.Source.User.ID, d.Source.Source.Address,
		})
		require.WithinDuration(t, e.Time, d.Source.Timestamp, time.Microsecond, d.ID)
		require.Empty(t, d.Ignored, "%s: fields that do not fit the mapping", d.ID)
	})
	require.Len(t, found, len(events))
}

// requireNothingGuessed requires that the templates name every field that records have: what they do not name is
// mapped by its first value, and cannot be searched before that.
func requireNothingGuessed(t *testing.T, o *siem.OpenSearch, index string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "conf", "elastic", "component-template-ecs.json"))
	require.NoError(t, err)
	var component struct{ Template struct{ Mappings mapping } }
	require.NoError(t, json.Unmarshal(text, &component))
	var indices map[string]struct{ Mappings mapping }
	require.NoError(t, o.Do("GET", "/"+index+"/_mapping", nil, &indices))
	require.NotEmpty(t, indices)
	for _, i := range indices {
		require.Subset(t, component.Template.Mappings.leaves(""), i.Mappings.leaves(""))
	}
}

type mapping struct{ Properties map[string]mapping }

// leaves are the full names of its fields.
func (m mapping) leaves(prefix string) (names []string) {
	for name, inner := range m.Properties {
		if inner.Properties == nil {
			names = append(names, prefix+name)
		}
		names = append(names, inner.leaves(prefix+name+".")...)
	}
	return names
}

// scroll goes over all documents that a Lucene query finds.
func scroll(t *testing.T, o *siem.OpenSearch, index, query string, each func(storedDocument)) {
	t.Helper()
	type page struct {
		ScrollID string `json:"_scroll_id"`
		Hits     struct{ Hits []storedDocument }
	}
	var p page
	err := o.Do("GET", "/"+index+"/_search?scroll=1m&size=5000&q="+url.QueryEscape(query), nil, &p)
	for ; err == nil && len(p.Hits.Hits) > 0; err = o.Do("POST", "/_search/scroll",
		map[string]string{"scroll": "1m", "scroll_id": p.ScrollID}, &p) {
		for _, d := range p.Hits.Hits {
			each(d)
		}
		p.Hits.Hits = nil
	}
	require.NoError(t, err)
	require.NoError(t, o.Do("DELETE", "/_search/scroll", map[string]string{"scroll_id": p.ScrollID}, nil))
}

// requireNoHourDiffers runs the search of docs/proof.md: each hour of which something is told has that many documents.
func requireNoHourDiffers(t *testing.T, o *siem.OpenSearch, index string) {
	t.Helper()
	told, differ := hoursThatDiffer(t, o, index)
	require.NotZero(t, told)
	require.Empty(t, differ)
}

// hoursThatDiffer reads the answer to the search of docs/proof.md as that says.
func hoursThatDiffer(t *testing.T, o *siem.OpenSearch, index string) (told int, differ []string) {
	t.Helper()
	var answer struct {
		Aggregations struct {
			Indexed, Said struct {
				Hours struct {
					Buckets []struct {
						Key    string `json:"key_as_string"`
						Count  int    `json:"doc_count"`
						Newest struct {
							Hits struct {
								Hits []struct {
									Source struct {
										Wherobots struct{ Status struct{ Count int } }
									} `json:"_source"`
								}
							}
						}
					}
				}
			}
		}
	}
	search := documented(t, "docs/proof.md", "Elasticsearch and OpenSearch, query DSL")
	_, body, found := strings.Cut(search, "\n")
	require.True(t, found)
	require.NoError(t, o.Do("POST", "/"+index+"/_search", []byte(body), &answer))
	counts := map[string]int{}
	for _, hour := range answer.Aggregations.Indexed.Hours.Buckets {
		counts[hour.Key] = hour.Count
	}
	for _, hour := range answer.Aggregations.Said.Hours.Buckets {
		told++
		require.NotEmpty(t, hour.Newest.Hits.Hits)
		if said := hour.Newest.Hits.Hits[0].Source.Wherobots.Status.Count; said != counts[hour.Key] {
			differ = append(differ, fmt.Sprintf("%s: said %d, indexed %d", hour.Key, said, counts[hour.Key]))
		}
	}
	return told, differ
}

// TestRealOpenSearchFromBundledHost is for machines without an engine: what the plugin hands over fits the templates,
// and goes over itself when it comes again. A document that is deleted is missed by the search for hours that differ.
func TestRealOpenSearchFromBundledHost(t *testing.T) {
	t.Parallel()
	o := store(t, startOpenSearch)
	events := lastDay(2_000)
	const index = "wherobots-audit-2026.01"
	lines := printed(t, events, closedHours(events)-1, hourly...)
	for range 2 {
		bulkPrinted(t, o, "index", index, lines)
	}
	requireOneDocumentEach(t, o, index, events)
	requireNoHourDiffers(t, o, index)
	requireNothingGuessed(t, o, index)

	require.NoError(t, o.Do("DELETE", "/"+index+"/_doc/"+events[len(events)/2].ID+"?refresh=true", nil, nil))
	_, differ := hoursThatDiffer(t, o, index)
	require.Len(t, differ, 1)
}

// hourly are settings with which the bundled host tells of hours at once.
var hourly = []string{"schema", "ecs", "status_events", "on", "start_time", "-30h", "overlap", "10m"}

// bulkPrinted stores what the bundled host printed under its ids.
func bulkPrinted(t *testing.T, o *siem.OpenSearch, operation, index string, lines [][]byte) {
	t.Helper()
	var bulk bytes.Buffer
	for _, line := range lines {
		record, text := stamped(t, line, "@timestamp")
		id := record["event"].(map[string]any)["id"]
		fmt.Fprintf(&bulk, `{%q:{"_index":%q,"_id":%q}}`+"\n%s\n", operation, index, id, text)
	}
	var answer struct {
		Errors bool
		Items  json.RawMessage
	}
	require.NoError(t, o.Do("POST", "/_bulk?refresh=true&filter_path=errors,items.*.error", bulk.Bytes(), &answer))
	require.False(t, answer.Errors, "%.1000s", answer.Items)
}
