package siem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

// victoriaLogsVersion is that of github.com/VictoriaMetrics/VictoriaLogs (Apache-2.0).
const victoriaLogsVersion = "v1.52.1"

// VictoriaLogs is a single node. The ways in are below /insert/: elasticsearch/_bulk, loki/api/v1/push, jsonline.
type VictoriaLogs struct{ *Server }

// StartVictoriaLogs builds VictoriaLogs if need be, and starts it with its data below dir. It keeps what the export
// keeps, 90 days, and some more. With an empty address it takes a free one.
func StartVictoriaLogs(dir, address string) (*VictoriaLogs, error) {
	program, err := goProgram("github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs", victoriaLogsVersion)
	if err != nil {
		return nil, err
	}
	if address == "" {
		free, err := loopback.Addresses(1)
		if err != nil {
			return nil, err
		}
		address = free[0]
	}
	server, err := Launch(dir, address, exec.Command(program, "-httpListenAddr="+address,
		"-storageDataPath="+filepath.Join(dir, "data"), "-retentionPeriod=100d", "-memory.allowedBytes=128MiB"))
	if err != nil {
		return nil, err
	}
	return &VictoriaLogs{server}, server.Until(func() bool { return answers(server.URL() + "/health") })
}

// Flush makes everything that was sent visible to queries.
func (v *VictoriaLogs) Flush() error {
	_, err := post(v.URL()+"/internal/force_flush", "", nil)
	return err
}

// Insert sends JSON lines. What the query says of streams, times and messages is VictoriaLogs'.
func (v *VictoriaLogs) Insert(query string, lines []byte) error {
	_, err := post(v.URL()+"/insert/jsonline?"+query, "application/stream+json", lines)
	return err
}

// Query runs LogsQL over everything that was sent before, and returns what it finds, field by field. VictoriaLogs
// knows strings only.
func (v *VictoriaLogs) Query(logsQL string) ([]map[string]string, error) {
	if err := v.Flush(); err != nil {
		return nil, err
	}
	form := url.Values{"query": {logsQL}, "limit": {"0"}}.Encode()
	answer, err := post(v.URL()+"/select/logsql/query", "application/x-www-form-urlencoded", []byte(form))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", logsQL, err)
	}
	var found []map[string]string
	for decoder := json.NewDecoder(bytes.NewReader(answer)); decoder.More(); {
		var row map[string]string
		if err := decoder.Decode(&row); err != nil {
			return nil, err
		}
		found = append(found, row)
	}
	return found, nil
}

// post returns the answer to a POST. Anything but 2xx is an error.
func post(address, contentType string, body []byte) ([]byte, error) {
	response, err := http.Post(address, contentType, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return read(response)
}

func read(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return answer, err
}
