package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

const bucket = "audit"

// TestRealS3 kills the engine when some of the events are uploaded, and when all are: all are there in the end, whole,
// in gzipped files below a folder a day. Copies are in other files.
func TestRealS3(t *testing.T) {
	t.Parallel()
	s := store(t, func(dir string) (*siem.S3, error) { return siem.StartS3(dir, bucket) })
	events := lastDay(3_000)
	c := realRun(t, "s3.yaml", events, fromLastDay, "S3_BUCKET="+bucket, "S3_ENDPOINT="+s.URL(),
		"S3_UPLOAD_TIMEOUT=2s", "AWS_ACCESS_KEY_ID="+s.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.SecretKey)
	distinct := func() int {
		ids := map[string]bool{}
		for _, r := range uploaded(t, s) {
			ids[r.id()] = true
		}
		return len(ids)
	}
	c.killWhen("some of the events", func() bool { return distinct() > 0 })
	c.killWhen("all of the events", func() bool { return distinct() >= len(events) })
	caughtUp := c.caughtUp()
	p := c.start()
	p.until(c.patience, "a commit of everything", caughtUp)
	p.stop()
	records := uploaded(t, s)
	missing, _ := compare(events, records)
	require.Empty(t, missing)
	requireEqual(t, events, records)
}

// uploaded returns the audit events of all files in the bucket.
func uploaded(t *testing.T, s *siem.S3) (records []record) {
	t.Helper()
	objects, err := s.Objects(bucket)
	require.NoError(t, err)
	for key, object := range objects {
		require.Regexp(t, `^wherobots-audit/year=\d{4}/month=\d\d/day=\d\d/\d{6}-\w+\.jsonl\.gz$`, key)
		unzipped, err := gzip.NewReader(bytes.NewReader(object))
		require.NoError(t, err, key)
		text, err := io.ReadAll(unzipped)
		require.NoError(t, err, key)
		for line := range strings.Lines(string(text)) {
			var r record
			require.NoError(t, json.Unmarshal([]byte(line), &r.fields), "%s: %s", key, line)
			if strings.HasPrefix(r.id(), "status-") {
				continue
			}
			stamp, err := time.Parse(time.RFC3339Nano, r.fields["date"].(string))
			require.NoError(t, err)
			r.time = stamp
			delete(r.fields, "date")
			records = append(records, r)
		}
	}
	return records
}
