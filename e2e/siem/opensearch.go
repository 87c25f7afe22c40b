package siem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
)

// OpenSearch is one node without security: it takes any credential. Its version is in java/opensearch.xml (Apache-2.0).
type OpenSearch struct{ *Server }

var listening = regexp.MustCompile(`(?m)^listening (\S+)$`)

// StartOpenSearch fetches OpenSearch if need be, and starts a node with its data below dir, in about ten seconds.
func StartOpenSearch(dir string) (*OpenSearch, error) {
	jars, err := classpath("opensearch")
	if err != nil {
		return nil, err
	}
	file, err := source(dir, "OpenSearchNode.java")
	if err != nil {
		return nil, err
	}
	java := exec.Command("java", "-Xms768m", "-Xmx768m", "-XX:+UseSerialGC", "-cp", jars, file, dir)
	node, err := startNode(dir, java)
	return &OpenSearch{node}, err
}

// startNode starts a program that prints where it listens, and waits for its index to be usable.
func startNode(dir string, java *exec.Cmd) (*Server, error) {
	if _, err := java.StdinPipe(); err != nil { // the node ends when it is closed
		return nil, err
	}
	server, err := Launch(dir, "", java)
	if err != nil {
		return nil, err
	}
	return server, server.Until(func() bool {
		text, err := os.ReadFile(server.Log)
		if address := listening.FindSubmatch(text); err == nil && address != nil {
			server.Address = string(address[1])
		}
		return server.Address != "" && answers(server.URL()+"/_cluster/health?wait_for_status=yellow&timeout=30s")
	})
}

// Do sends a request with a JSON body, nil for none, and decodes the answer into answer unless that is nil. Anything
// but 2xx is an error that holds what OpenSearch says.
func (o *OpenSearch) Do(method, path string, body, answer any) error {
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		content = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, o.URL()+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	text, err := read(response)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
